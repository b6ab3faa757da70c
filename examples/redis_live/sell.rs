//! A shop that sells, and whose relay feeds live push.

use std::sync::Arc;
use std::time::Duration;

use commerce_adapters_redis::{LivePush, RedisStore, Settings};
use commerce_core::app::checkout::CheckoutReceipt;
use commerce_core::app::relay::RelayRunner;
use commerce_core::app::stock_watch::StockWatch;
use commerce_core::checkout::fulfil::shipment_of;
use commerce_core::inventory::{StockCommand, stock_item_id};
use commerce_core::settings::SettingsValues;
use commerce_core::shipping::CarrierStatus;
use commerce_core::value::{Code, Reason, Sku};
use commerce_testkit::fake::{Behaviour, Clock, Gateway};
use commerce_testkit::shop::Shop;

use crate::Outcome;

/// The shop with what a host lets run beside it.
struct Seller {
    shop: Shop,
    relay: RelayRunner,
    watch: StockWatch,
}

/// Sells a few things.
pub(crate) async fn sell(address: &str, settings: Settings) -> Outcome<()> {
    let clock = Clock::default();
    let store = RedisStore::with_clock(address, settings.clone(), Arc::new(clock.clone())).await?;
    let shop = Shop::on_shared(Arc::new(store), clock, Gateway::capturing(), 1);
    let relay = shop.staff().relay(Code::new("live")?, LivePush::open(address, settings).await?)?;
    let mut seller = Seller { shop, relay, watch: StockWatch::default() };
    seller.sell_all().await?;
    println!("In the shop's own books:");
    for sku in ["MUG", "POSTER"] {
        let level = seller.shop.level(sku).await?;
        println!("  {sku}: {} available, {} promised", level.available, level.allocated);
    }
    Ok(())
}

impl Seller {
    async fn sell_all(&mut self) -> Outcome<()> {
        self.shop.list("MUG", "12.50", 20).await?;
        self.shop.list("POSTER", "8.00", 4).await?;
        let low = StockCommand::SetThreshold { threshold: Some(3) };
        let location = default_location()?;
        self.shop.staff().execute(stock_item_id(&Sku::new("POSTER")?, location), low).await?;
        self.tell().await?;
        let sent = self.buy(1, &[("MUG", 2), ("POSTER", 1)]).await?;
        self.shop.gateway.script([Behaviour::Decline("card-expired")]);
        self.buy(2, &[("MUG", 5)]).await?;
        let regretted = self.buy(3, &[("POSTER", 2)]).await?;
        self.send(&sent).await?;
        let staff = self.shop.staff();
        staff.cancel_order(regretted.order, Reason::new("bought the wrong one")?).await?;
        self.tell().await?;
        self.buy(4, &[("POSTER", 3)]).await?;
        Ok(())
    }

    async fn buy(&mut self, buyer: u64, lines: &[(&str, u32)]) -> Outcome<CheckoutReceipt> {
        let cart = self.shop.cart(buyer, lines).await?;
        let receipt = self.shop.buy(buyer, cart).await?;
        self.tell().await?;
        Ok(receipt)
    }

    /// The parcel of an order leaves and arrives.
    async fn send(&mut self, receipt: &CheckoutReceipt) -> Outcome<()> {
        let (staff, parcel) = (self.shop.staff(), shipment_of(receipt.checkout, default_location()?));
        staff.mark_ready(parcel).await?;
        staff.dispatch(parcel, None).await?;
        self.tell().await?;
        let at = self.shop.clock.advance(Duration::from_secs(3600));
        staff.record_tracking(parcel, CarrierStatus::Delivered, at, 0).await?;
        self.tell().await
    }

    /// What a host does all the time in the background: stock items are told their levels, and the relay hands over
    /// what is new.
    async fn tell(&mut self) -> Outcome<()> {
        while !self.shop.staff().watch_stock(&mut self.watch).await?.end {}
        loop {
            let round = self.relay.round().await?;
            if round.outage || round.failed > 0 {
                return Err("live push does not take what it is handed".into());
            }
            if round.end {
                return Ok(());
            }
        }
    }
}

fn default_location() -> Outcome<commerce_core::value::id::LocationId> {
    Ok(*SettingsValues::default().locations.first().ok_or("there is a location")?)
}
