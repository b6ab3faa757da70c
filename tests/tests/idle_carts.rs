//! Carts whose buyers do nothing any more.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a failing step is a failing test

use std::sync::Arc;
use std::time::Duration;

use commerce_adapters_memory::MemoryStore;
use commerce_core::carts::{Cart, CartEvent, Status};
use commerce_core::port::clock::Clock as _;
use commerce_core::prelude::*;
use commerce_core::value::id::CartId;
use commerce_testkit::fake::{Clock, Gateway};
use commerce_testkit::shop::Shop;
use commerce_tests::audit::Audit;
use commerce_tests::cases;
use pollster::block_on;
use proptest::collection::vec;
use proptest::prelude::*;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn shop() -> (Shop, MemoryStore) {
    let clock = Clock::default();
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    let shop = Shop::on(store.clone(), clock, Gateway::capturing());
    block_on(shop.list("MUG", "10.00", 50)).unwrap();
    (shop, store)
}

/// Lets time pass, handling what is due every so often.
fn pass(shop: &Shop, span: Duration, step: Duration) {
    let end = shop.clock.now().plus(span);
    while shop.clock.now() < end {
        shop.clock.advance(step);
        while block_on(shop.commerce.run_due()).unwrap().handled > 0 {}
    }
}

fn status(store: &MemoryStore, cart: CartId) -> Status {
    Audit::of(store).all::<Cart>().into_iter().find(|(id, ..)| *id == cart).unwrap().1.status()
}

fn timers(store: &MemoryStore) -> usize {
    use commerce_core::port::store::{Store as _, Table};
    let rows = block_on(store.scan(Table::Timers, None, 100)).unwrap();
    rows.iter().filter(|row| row.text().starts_with("cart:")).count()
}

fn add(shop: &Shop, cart: CartId) {
    let (sku, one) = (Sku::new("MUG").unwrap(), Quantity::new(1).unwrap());
    block_on(shop.buyer(1).add_to_cart(cart, &sku, one, Currency::EUR)).unwrap();
}

#[test]
fn a_cart_is_abandoned_after_a_day_and_expires_after_thirty() {
    let (shop, store) = shop();
    let cart = block_on(shop.cart(1, &[("MUG", 1)])).unwrap();
    pass(&shop, 23 * HOUR, HOUR);
    assert_eq!(status(&store, cart), Status::Active);
    pass(&shop, HOUR + MINUTE, MINUTE);
    assert_eq!(status(&store, cart), Status::Abandoned);
    pass(&shop, 28 * DAY, HOUR);
    assert_eq!(status(&store, cart), Status::Abandoned);
    pass(&shop, DAY, HOUR);
    assert_eq!((status(&store, cart), timers(&store)), (Status::Expired, 0));
    Audit::of(&store).agrees_with(&store);
}

#[test]
fn a_buyer_who_comes_back_finds_the_cart_and_can_buy() {
    let (shop, store) = shop();
    let cart = block_on(shop.cart(1, &[("MUG", 1)])).unwrap();
    pass(&shop, 2 * DAY, HOUR);
    assert_eq!(status(&store, cart), Status::Abandoned);
    add(&shop, cart);
    assert_eq!(status(&store, cart), Status::Active);
    pass(&shop, 2 * DAY, HOUR);
    assert_eq!(status(&store, cart), Status::Abandoned, "and is looked after again");
    block_on(shop.buyer(1).checkout(CheckoutRequest::new(cart, Shop::euros(2000)))).unwrap();
    assert_eq!((status(&store, cart), timers(&store)), (Status::Converted, 0));
}

#[test]
fn the_shop_says_how_long() {
    let (shop, store) = shop();
    block_on(shop.settings(|values| (values.cart_idle_seconds, values.cart_kept_seconds) = (7_200, 10_800)));
    let cart = block_on(shop.cart(1, &[("MUG", 1)])).unwrap();
    pass(&shop, 2 * HOUR, MINUTE);
    assert_eq!(status(&store, cart), Status::Abandoned);
    pass(&shop, HOUR + MINUTE, MINUTE);
    assert_eq!(status(&store, cart), Status::Expired);
}

#[test]
fn carts_of_before_load_and_have_no_timer() {
    let old =
        serde_json::json!({ "Created": { "owner": { "subject": Shop::subject(1) }, "currency": "EUR" } });
    let event: CartEvent = serde_json::from_value(old).unwrap();
    assert!(matches!(event, CartEvent::Created { look_at: None, .. }));
    assert!(Cart::effects(CartId::from_uuid(uuid::Uuid::from_u128(1)).unwrap(), &event).timers.is_empty());
}

proptest! {
    #![proptest_config(cases(64))]

    /// Whatever the buyer's pauses: a cart counts as abandoned once it was unused for a day, never before, and
    /// at the latest at the next look.
    #[test]
    fn carts_are_abandoned_when_and_only_when_they_are_unused(pauses in vec(1..60_u64, 1..8), step in 1..50_u64) {
        let (shop, store) = shop();
        let cart = block_on(shop.cart(1, &[("MUG", 1)])).unwrap();
        let step = Duration::from_mins(step);
        for hours in pauses {
            let pause = Duration::from_hours(hours);
            pass(&shop, pause, step);
            let abandoned = status(&store, cart) == Status::Abandoned;
            prop_assert!(!abandoned || pause + step >= DAY, "abandoned after {hours} h");
            prop_assert!(abandoned || pause < DAY, "not abandoned after {hours} h");
            add(&shop, cart);
        }
        prop_assert_eq!(timers(&store), 1);
    }
}
