//! A small shop on any store, with fakes on its other ports, for tests and examples.

use std::sync::Arc;
use std::time::Duration;

use commerce_core::app::checkout::{CheckoutReceipt, CheckoutRequest};
use commerce_core::app::commerce::{Commerce, Platform};
use commerce_core::app::shopfront::{Listing, ShopfrontError};
use commerce_core::carts::CartCommand;
use commerce_core::checkout::CheckoutError;
use commerce_core::inventory::stock_pool;
use commerce_core::kernel::commit::Load;
use commerce_core::kernel::error::PortError;
use commerce_core::kernel::pool::PoolLevel;
use commerce_core::port::clock::Clock as _;
use commerce_core::port::payment::PaymentGateway;
use commerce_core::port::store::Store;
use commerce_core::promotions::PromotionCommand;
use commerce_core::settings::{SettingsCommand, SettingsValues, settings_id};
use commerce_core::value::actor::Actor;
use commerce_core::value::id::{CartId, CustomerId, Id, PromotionId, SubjectId};
use commerce_core::value::time::Timestamp;
use commerce_core::value::{
    Address, AddressInput, Benefit, Currency, Email, Money, Name, Phase, Price, PromotionCode, PromotionRule,
    Quantity, Rate, Sku,
};
use uuid::Uuid;

use crate::fake::{Clock, Gateway, Ids, Sleeper};

/// Fakes keep what a test sets up from failing; what does fail says where.
#[allow(clippy::expect_used)]
mod parse {
    use super::{
        Address, AddressInput, Benefit, Currency, Email, Money, Name, Phase, Price, PromotionCode,
        PromotionId, PromotionRule, Quantity, Rate, Sku,
    };

    /// A SKU.
    pub(super) fn sku(text: &str) -> Sku {
        Sku::new(text).expect("a test uses a valid sku")
    }

    /// Euros.
    pub(super) fn price(text: &str) -> Price {
        Price::parse(text, Currency::EUR).expect("a test uses a valid price")
    }

    /// A name.
    pub(super) fn name(text: &str) -> Name {
        Name::new(text).expect("a test uses a valid name")
    }

    /// Units.
    pub(super) fn units(count: u32) -> Quantity {
        Quantity::new(count).expect("a test uses a valid quantity")
    }

    /// Where nobody lives.
    pub(super) fn address() -> Address {
        let input = AddressInput {
            recipient: "Erika Mustermann".to_owned(),
            line1: "Heidestraße 17".to_owned(),
            line2: None,
            city: "Köln".to_owned(),
            region: None,
            postcode: Some("51147".to_owned()),
            country: "DE".to_owned(),
            phone: None,
        };
        Address::new(&input).expect("a valid address")
    }

    /// To whom nobody writes.
    pub(super) fn email(number: u64) -> Email {
        Email::new(&format!("buyer{number}@example.com")).expect("a valid address")
    }

    /// A code.
    pub(super) fn code(text: &str) -> PromotionCode {
        PromotionCode::new(text).expect("a test uses a valid code")
    }

    /// A percentage off the order for whoever gives the code.
    pub(super) fn rule(id: PromotionId, text: &str, percent: &str) -> PromotionRule {
        let benefit = Benefit::Percent(Rate::parse(percent).expect("a test uses a valid percentage"));
        PromotionRule { code: Some(code(text)), ..PromotionRule::new(id, Phase::Order, benefit) }
    }

    pub(super) fn money(minor: i64) -> Money {
        Money::from_minor(minor, Currency::EUR)
    }
}

/// A shop that sells in euros, with a clock, ids and a gateway that a test controls.
#[derive(Debug, Clone)]
pub struct Shop {
    /// The shop, acting for nobody.
    pub commerce: Commerce,
    /// Its clock.
    pub clock: Clock,
    /// Its gateway.
    pub gateway: Gateway,
}

impl Shop {
    /// A shop on this store; its sleepers move the clock.
    pub fn on(store: impl Store, clock: Clock, gateway: Gateway) -> Self {
        Self::on_shared(Arc::new(store), clock, gateway, 1)
    }

    /// A shop on a store that others use too. Shops on one store have different seeds, for their ids.
    pub fn on_shared(store: Arc<dyn Store>, clock: Clock, gateway: Gateway, seed: u64) -> Self {
        let around = Arc::new(gateway.clone());
        Self::on_gateway(store, clock, gateway, (around, seed))
    }

    /// A shop that pays at another gateway, made around the fake one whose books a checker reads; with the
    /// seed of its ids.
    pub fn on_gateway(
        store: Arc<dyn Store>,
        clock: Clock,
        gateway: Gateway,
        (around, seed): (Arc<dyn PaymentGateway>, u64),
    ) -> Self {
        let platform = Platform {
            clock: Arc::new(clock.clone()),
            sleeper: Arc::new(Sleeper::jumping(clock.clone())),
            ids: Arc::new(Ids::seeded(seed)),
        };
        let commerce = Commerce::from_arc(store, platform).with_shared_gateway(around);
        Self { commerce, clock, gateway }
    }

    /// The shop, acting for its staff.
    pub fn staff(&self) -> Commerce {
        self.commerce.acting_as(Actor::Admin(Id::derived(Uuid::nil(), b"staff")))
    }

    /// The shop, acting for the customer with this number.
    pub fn buyer(&self, number: u64) -> Commerce {
        self.commerce.acting_as(Actor::User(Self::customer(number)))
    }

    /// The customer with this number.
    pub fn customer(number: u64) -> CustomerId {
        CustomerId::derived(Uuid::nil(), &number.to_be_bytes())
    }

    /// The person with this number.
    pub fn subject(number: u64) -> SubjectId {
        Self::customer(number).cast()
    }

    /// Where the customer with this number is written to, and where they live.
    pub fn contact(number: u64) -> (Email, Address) {
        (parse::email(number), parse::address())
    }

    /// Changes the settings.
    ///
    /// # Panics
    ///
    /// Where the settings are refused.
    #[allow(clippy::expect_used)] // a test that sets up nonsense has to hear of it
    pub async fn settings(&self, change: impl FnOnce(&mut SettingsValues) + Send) {
        let mut values = SettingsValues::default();
        change(&mut values);
        let update = SettingsCommand::Update { values: Box::new(values) };
        self.staff().execute(settings_id(), update).await.expect("the settings are accepted");
    }

    /// Puts a product on sale.
    ///
    /// # Errors
    ///
    /// As [`Commerce::list`].
    pub async fn list(&self, sku: &str, price: &str, stock: u32) -> Result<(), ShopfrontError> {
        let mut listing = Listing::new(parse::sku(sku), parse::name(sku), parse::price(price));
        if stock > 0 {
            listing = listing.with_stock(parse::units(stock));
        }
        self.staff().list(listing).await.map(|_| ())
    }

    /// A cart of the customer with this number, with everything that a checkout needs.
    ///
    /// # Errors
    ///
    /// As [`Commerce::add_to_cart`].
    ///
    /// # Panics
    ///
    /// Where the cart refuses a contact or an address.
    #[allow(clippy::expect_used)] // a test that sets up nonsense has to hear of it
    pub async fn cart(&self, buyer: u64, lines: &[(&str, u32)]) -> Result<CartId, ShopfrontError> {
        let shop = self.buyer(buyer);
        let cart: CartId = shop.new_id();
        for (sku, units) in lines {
            shop.add_to_cart(cart, &parse::sku(sku), parse::units(*units), Currency::EUR).await?;
        }
        let contact = CartCommand::SetContact { email: parse::email(buyer) };
        shop.execute(cart, contact).await.expect("the contact is accepted");
        let address = CartCommand::SetShippingAddress { address: parse::address() };
        shop.execute(cart, address).await.expect("the address is accepted");
        Ok(cart)
    }

    /// A code that takes this percentage off, at most `uses` times.
    ///
    /// # Panics
    ///
    /// Where the promotion is refused.
    #[allow(clippy::expect_used)] // a test that sets up nonsense has to hear of it
    pub async fn coupon(&self, text: &str, percent: &str, uses: Option<u32>) -> PromotionId {
        let id = PromotionId::derived(Uuid::nil(), text.as_bytes());
        let rule = parse::rule(id, text, percent);
        let create = PromotionCommand::Create {
            rule,
            usage_limit: uses,
            per_customer_limit: None,
            budget: None,
            returns_usage: true,
        };
        self.staff().execute(id, create).await.expect("the promotion is accepted");
        self.staff().execute(id, PromotionCommand::Activate).await.expect("the promotion is put in force");
        id
    }

    /// The buyer gives a code.
    ///
    /// # Panics
    ///
    /// Where the cart refuses it.
    #[allow(clippy::expect_used)] // a test that sets up nonsense has to hear of it
    pub async fn give_code(&self, buyer: u64, cart: CartId, text: &str) {
        let apply = CartCommand::ApplyCode { code: parse::code(text) };
        self.buyer(buyer).execute(cart, apply).await.expect("the code is taken");
    }

    /// Lets time pass from timer to timer until none is due within the next half hour, as those of carts are
    /// not; gives the number of those that were handled.
    ///
    /// Stops after half a day in which something was always due, so that whatever never ends is seen.
    ///
    /// # Errors
    ///
    /// [`PortError`] where the store does not tell what is due.
    pub async fn settle(&self) -> Result<u32, PortError> {
        let end = self.clock.now().plus(Duration::from_secs(12 * 3600));
        let mut handled = 0_u32;
        while self.clock.now() < end {
            let round = self.commerce.run_due().await?;
            handled = handled.saturating_add(round.handled);
            match self.soon(round.next) {
                Some(next) => self.clock.set(next),
                None if round.handled == 0 && round.failed == 0 => break,
                None => {}
            }
        }
        Ok(handled)
    }

    /// When the next timer is due, not before now, where it is worth waiting for: within half an hour.
    pub(crate) fn soon(&self, next: Option<Timestamp>) -> Option<Timestamp> {
        let now = self.clock.now();
        next.filter(|next| next.since(now) < Duration::from_secs(30 * 60)).map(|next| next.max(now))
    }

    /// Buys a cart for what it costs now.
    ///
    /// # Errors
    ///
    /// As [`Commerce::checkout`].
    pub async fn buy(&self, buyer: u64, cart: CartId) -> Result<CheckoutReceipt, CheckoutError> {
        let shop = self.buyer(buyer);
        let total = shop.quote(cart).await?.total;
        shop.checkout(CheckoutRequest::new(cart, total)).await
    }

    /// The stock of a SKU at the default location.
    ///
    /// # Errors
    ///
    /// As [`Store::load`].
    pub async fn level(&self, sku: &str) -> Result<PoolLevel, CheckoutError> {
        let locations = SettingsValues::default().locations;
        let pools = locations.into_iter().map(|location| stock_pool(&parse::sku(sku), location)).collect();
        let loaded = self.commerce.store().load(Load { pools, ..Load::default() }).await?;
        Ok(loaded.pools.first().copied().unwrap_or_default())
    }

    /// An amount of euros, in cents.
    pub fn euros(minor: i64) -> Money {
        parse::money(minor)
    }
}
