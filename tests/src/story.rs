//! A day in a shop: whatever a document has an event for happens once at least.

use std::sync::Arc;
use std::time::Duration;

use commerce_adapters_memory::MemoryStore;
use commerce_core::app::checkout::{CheckoutReceipt, CheckoutStatus};
use commerce_core::app::query::ById;
use commerce_core::app::stock_watch::StockWatch;
use commerce_core::catalog::{PricePolicy, Product, ProductCommand};
use commerce_core::checkout::fulfil::shipment_of;
use commerce_core::checkout::payment_of;
use commerce_core::customers::{CustomerCommand, PhoneChange};
use commerce_core::inventory::{StockCommand, stock_item_id};
use commerce_core::notifications::NotificationCommand;
use commerce_core::settings::SettingsValues;
use commerce_core::shipping::{CarrierStatus, Tracking};
use commerce_core::value::id::{Id, NotificationId, ProductId, RefundId};
use commerce_core::value::{Code, Currency, Name, Phone, Price, Reason, Sku};
use commerce_testkit::fake::{Behaviour, Gateway, Outbox, Reception};
use commerce_testkit::shop::Shop;
use uuid::Uuid;

use crate::shopping::{Coupon, contents, mugs, registered};

/// The phone number that a customer gives.
pub const PHONE: &str = "+4915112345678";

fn reason(text: &str) -> Reason {
    Reason::new(text).unwrap()
}

/// A shop and its store at the end of the day.
#[derive(Debug)]
pub struct Story {
    /// The shop.
    pub shop: Shop,
    /// What it wrote.
    pub store: MemoryStore,
    /// Two of its products: a mug, and one that is deleted in the evening.
    pub products: [ProductId; 2],
}

impl Story {
    /// The morning: a shop with four products, one of them soon scarce, a coupon and a customer.
    pub async fn morning() -> Self {
        Self::morning_in(mugs(Gateway::capturing(), 10).await).await
    }

    /// The morning of a shop that has ten mugs.
    pub async fn morning_in((shop, store): (Shop, MemoryStore)) -> Self {
        let mut products = Vec::new();
        for (sku, price) in [("CAP", "9.99"), ("PEN", "0.35"), ("OLD", "1.00")] {
            shop.list(sku, price, 5).await.unwrap();
        }
        for sku in ["MUG", "OLD"] {
            products.push(Self::product(&store, sku));
        }
        let item = stock_item_id(&Sku::new("MUG").unwrap(), SettingsValues::default().locations[0]);
        let alert = StockCommand::SetThreshold { threshold: Some(8) };
        shop.staff().execute(item, alert).await.unwrap();
        Coupon::new("SAVE").activate(&shop).await;
        registered(&shop, 1).await;
        let update = CustomerCommand::UpdateProfile {
            name: None,
            phone: PhoneChange::Set(Phone::new(PHONE).unwrap()),
        };
        shop.buyer(1).execute(Shop::customer(1), update).await.unwrap();
        Self { shop, store, products: products.try_into().unwrap() }
    }

    fn product(store: &MemoryStore, sku: &str) -> ProductId {
        let log = contents(store).log;
        let added = log.iter().find(|recorded| {
            recorded.event.name == "ProductVariantAdded"
                && String::from_utf8_lossy(&recorded.event.data).contains(&format!("\"{sku}\""))
        });
        Id::from_uuid(added.unwrap().stream.id).unwrap()
    }

    /// Somebody buys, with the coupon.
    pub async fn buy(&self, buyer: u64, lines: &[(&str, u32)]) -> CheckoutReceipt {
        let cart = self.shop.cart(buyer, lines).await.unwrap();
        Coupon::new("SAVE").apply(&self.shop, buyer, cart).await;
        self.shop.buy(buyer, cart).await.unwrap()
    }

    /// One order is sent, arrives and is paid back in part.
    pub async fn sent(&self, receipt: &CheckoutReceipt) {
        let (shop, staff) = (&self.shop, self.shop.staff());
        let parcel = shipment_of(receipt.checkout, SettingsValues::default().locations[0]);
        let tracking = Tracking { carrier: Code::new("dhl").unwrap(), number: Code::new("1").unwrap() };
        staff.mark_ready(parcel).await.unwrap();
        staff.dispatch(parcel, Some(tracking)).await.unwrap();
        for (rank, status) in [CarrierStatus::InTransit, CarrierStatus::Delivered].into_iter().enumerate() {
            let at = shop.clock.advance(Duration::from_secs(3600));
            staff.record_tracking(parcel, status, at, u16::try_from(rank).unwrap()).await.unwrap();
        }
        let refund = RefundId::derived(Uuid::nil(), b"a dent");
        let payment = payment_of(receipt.checkout);
        staff.refund(payment, refund, Shop::euros(500), reason("a dent")).await.unwrap();
    }

    /// Messages reach people, one by none of several attempts.
    pub async fn told(&mut self) {
        let outbox = Outbox::taking();
        self.shop.commerce = self.shop.commerce.clone().with_notifier(outbox.clone());
        self.shop.commerce.run_due().await.unwrap();
        for known in self.notifications() {
            self.shop.staff().execute(known, NotificationCommand::RecordDelivered).await.unwrap();
        }
        outbox.script([Reception::FailBefore; 4]);
        self.buy(3, &[("CAP", 1)]).await;
        for _ in 0..30 {
            self.shop.commerce.run_due().await.unwrap();
            self.shop.clock.advance(Duration::from_secs(1));
        }
    }

    fn notifications(&self) -> Vec<NotificationId> {
        let log = contents(&self.store).log;
        let queued = log.iter().filter(|recorded| recorded.event.name == "NotificationSent");
        queued.map(|recorded| Id::from_uuid(recorded.stream.id).unwrap()).collect()
    }

    /// The catalogue changes, and somebody looks at the stock.
    pub async fn changed(&self) {
        let ([mug, old], staff) = (self.products, self.shop.staff());
        let known: Arc<Product> = staff.query(ById::<Product>(mug)).await.unwrap().unwrap();
        let mut details = known.details().clone();
        details.name = Name::new("Big mug").unwrap();
        let update = ProductCommand::Update { slug: known.slug().clone(), details: Box::new(details) };
        staff.execute(mug, update).await.unwrap();
        let price = Price::parse("13.00", Currency::EUR).unwrap();
        let variant = *known.variants().keys().next().unwrap();
        let dearer = ProductCommand::SetPrice { variant, price, prices: PricePolicy::FreeAllowed };
        staff.execute(mug, dearer).await.unwrap();
        self.watched().await;
        staff.execute(old, ProductCommand::Delete).await.unwrap();
    }

    async fn watched(&self) {
        let mut watch = StockWatch::default();
        while !self.shop.staff().watch_stock(&mut watch).await.unwrap().end {}
    }

    /// The whole day.
    pub async fn day() -> Self {
        Self::morning().await.goes_on().await
    }

    /// The rest of the day.
    pub async fn goes_on(self) -> Self {
        let mut story = self;
        let first = story.buy(1, &[("MUG", 2), ("CAP", 1)]).await;
        assert_eq!(first.status, CheckoutStatus::Confirmed);
        story.sent(&first).await;
        let second = story.buy(2, &[("MUG", 1), ("PEN", 3)]).await;
        story.shop.buyer(2).cancel_order(second.order, reason("changed my mind")).await.unwrap();
        story.shop.gateway.script([Behaviour::Decline("insufficient_funds")]);
        let declined = story.shop.cart(2, &[("MUG", 1)]).await.unwrap();
        let _declined = story.shop.buy(2, declined).await;
        story.shop.gateway.script([Behaviour::Redirect("https://bank.example/3ds")]);
        let waiting = story.buy(2, &[("CAP", 2)]).await;
        assert!(matches!(waiting.status, CheckoutStatus::ActionRequired { .. }));
        story.shop.buyer(2).cancel_order(waiting.order, reason("too slow")).await.unwrap();
        story.told().await;
        story.changed().await;
        story
    }
}
