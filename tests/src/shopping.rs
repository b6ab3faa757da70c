//! Short ways to set a shop up and to buy in it.

use std::sync::Arc;

use commerce_adapters_memory::MemoryStore;
use commerce_core::carts::CartCommand;
use commerce_core::customers::{CustomerCommand, email_key};
use commerce_core::kernel::stream::Position;
use commerce_core::port::store::{LogQuery, MAX_PAGE, Store, Table};
use commerce_core::promotions::PromotionCommand;
use commerce_core::value::id::{CartId, CustomerId, PromotionId};
use commerce_core::value::{Benefit, PersonName, Phase, PromotionCode, PromotionRule, Rate};
use commerce_testkit::fake::{Clock, Gateway};
use commerce_testkit::shop::Shop;
use pollster::block_on;

use crate::world::Contents;

/// A coupon to be: a part of the price off, for whoever knows its code.
#[derive(Debug, Clone, Copy)]
pub struct Coupon {
    /// Its code.
    pub code: &'static str,
    /// The percentage.
    pub percent: &'static str,
    /// The most uses.
    pub uses: Option<u32>,
    /// The most uses of one customer.
    pub each: Option<u32>,
}

impl Coupon {
    /// A code that takes a tenth off, as often as anybody likes.
    pub const fn new(code: &'static str) -> Self {
        Self { code, percent: "10", uses: None, each: None }
    }

    /// Its id.
    pub fn id(&self) -> PromotionId {
        crate::world::id(self.code)
    }

    /// Puts it in force.
    pub async fn activate(&self, shop: &Shop) -> PromotionId {
        let benefit = Benefit::Percent(Rate::parse(self.percent).unwrap());
        let mut rule = PromotionRule::new(self.id(), Phase::Order, benefit);
        rule.code = Some(code(self.code));
        let create = PromotionCommand::Create {
            rule,
            usage_limit: self.uses,
            per_customer_limit: self.each,
            budget: None,
            returns_usage: true,
        };
        shop.staff().execute(self.id(), create).await.unwrap();
        shop.staff().execute(self.id(), PromotionCommand::Activate).await.unwrap();
        self.id()
    }

    /// The buyer gives its code.
    pub async fn apply(&self, shop: &Shop, buyer: u64, cart: CartId) {
        let apply = CartCommand::ApplyCode { code: code(self.code) };
        shop.buyer(buyer).execute(cart, apply).await.unwrap();
    }
}

/// A code.
pub fn code(text: &str) -> PromotionCode {
    PromotionCode::new(text).unwrap()
}

/// A shop in memory, and its store.
pub fn shop(gateway: Gateway) -> (Shop, MemoryStore) {
    let clock = Clock::default();
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    (Shop::on(store.clone(), clock, gateway), store)
}

/// A shop in memory that has this many mugs at 12.50.
pub async fn mugs(gateway: Gateway, stock: u32) -> (Shop, MemoryStore) {
    let (shop, store) = shop(gateway);
    shop.list("MUG", "12.50", stock).await.unwrap();
    (shop, store)
}

/// Everything that a store holds.
pub fn contents(store: &dyn Store) -> Contents {
    let tables = [Table::Keys, Table::Pools, Table::Timers, Table::Marks];
    let rows = |table| block_on(store.scan(table, None, MAX_PAGE)).unwrap();
    let (mut log, mut after) = (Vec::new(), Position::START);
    loop {
        let page = block_on(store.read_all(LogQuery::after(after, MAX_PAGE))).unwrap();
        if page.events.is_empty() {
            return Contents { log, rows: tables.into_iter().flat_map(rows).collect() };
        }
        log.extend(page.events);
        after = page.next;
    }
}

/// The customer with this number, registered under the address that buyers have.
pub async fn registered(shop: &Shop, number: u64) -> CustomerId {
    let (customer, (email, _)) = (Shop::customer(number), Shop::contact(number));
    let register = CustomerCommand::Register {
        customer,
        key: email_key(b"shop key", &email),
        email,
        name: PersonName::new("Erika Mustermann").unwrap(),
        phone: None,
    };
    shop.buyer(number).execute(customer, register).await.unwrap();
    customer
}
