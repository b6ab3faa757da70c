//! Visitors, their sessions and their carts.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a failing step is a failing test

use std::sync::Arc;
use std::time::Duration;

use commerce_adapters_memory::{MemorySessions, MemoryStore};
use commerce_core::app::visitors::{LoggedIn, Visitor, VisitorError, Visitors};
use commerce_core::carts::{Cart, CartError, Status};
use commerce_core::port::session::{Expected, IDLE, SessionKey, SessionStore, SessionWrite};
use commerce_core::prelude::*;
use commerce_testkit::fake::{Clock, Gateway};
use commerce_testkit::faulty::{Fault, Faults, Faulty, Script};
use commerce_testkit::shop::Shop;
use commerce_tests::cases;
use pollster::block_on;
use proptest::prelude::*;

fn shop() -> (Shop, Faults, Visitors) {
    let (clock, faults) = (Clock::default(), Faults::none());
    let sessions: Arc<dyn SessionStore> = Arc::new(MemorySessions::new(Arc::new(clock.clone())));
    let sessions: Faulty<dyn SessionStore> = Faulty::on(sessions, faults.clone());
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    let shop = Shop::on(store, clock, Gateway::capturing());
    block_on(shop.list("MUG", "10.00", 500)).unwrap();
    let visitors = shop.staff().visitors(Arc::new(sessions)).unwrap();
    (shop, faults, visitors)
}

fn add(shop: &Shop, visitor: Visitor, units: u32) {
    let (sku, units) = (Sku::new("MUG").unwrap(), Quantity::new(units).unwrap());
    let shop = shop.commerce.acting_as(visitor.actor);
    block_on(shop.add_to_cart(visitor.cart, &sku, units, Currency::EUR)).unwrap();
}

fn cart(shop: &Shop, cart: CartId) -> Option<Arc<Cart>> {
    block_on(shop.staff().query(ById::<Cart>(cart))).unwrap()
}

fn units(shop: &Shop, id: CartId) -> u32 {
    cart(shop, id).iter().flat_map(|cart| cart.lines().iter()).map(|line| line.quantity.get()).sum()
}

/// Ends a cart, so that the visitor needs another one.
fn end(shop: &Shop, cart: CartId) {
    let system = shop.commerce.acting_as(Actor::System);
    block_on(system.execute(cart, CartCommand::Expire)).unwrap();
}

#[test]
fn a_guest_finds_the_cart_again_whatever_becomes_of_the_session() {
    let (shop, faults, visitors) = shop();
    let first = block_on(visitors.visit(b"one")).unwrap();
    assert_ne!(block_on(visitors.visit(b"two")).unwrap(), first);
    add(&shop, first, 2);
    // Nobody else may touch it.
    let other = block_on(visitors.visit(b"two")).unwrap();
    let sku = Sku::new("MUG").unwrap();
    let theirs = shop.commerce.acting_as(other.actor);
    assert!(block_on(theirs.add_to_cart(first.cart, &sku, Quantity::ONE, Currency::EUR)).is_err());

    assert_eq!(block_on(visitors.visit(b"one")), Ok(first));
    block_on(visitors.log_out(b"one")).unwrap();
    assert_eq!(block_on(visitors.visit(b"one")), Ok(first));
    faults.rewrite(Script::default().call(1, Fault::FailBefore));
    assert!(matches!(block_on(visitors.visit(b"one")), Err(VisitorError::Sessions(_))));
    assert_eq!(block_on(visitors.guest(b"one")), Ok(first));

    end(&shop, first.cart);
    let second = block_on(visitors.visit(b"one")).unwrap();
    assert_eq!(second.actor, first.actor);
    assert_ne!(second.cart, first.cart);
    assert_eq!(block_on(visitors.log_out(b"one")), Ok(true), "it was worth remembering");
    assert_eq!(block_on(visitors.visit(b"one")), Ok(second));
}

#[test]
fn who_logs_in_takes_the_cart_along() {
    let (shop, _, visitors) = shop();
    let customer = Shop::customer(1);
    let guest = block_on(visitors.visit(b"one")).unwrap();
    add(&shop, guest, 2);
    assert_eq!(block_on(visitors.log_in(b"one", b"one", customer)), Err(VisitorError::SameSecret));
    let LoggedIn { visitor, apart } = block_on(visitors.log_in(b"one", b"new", customer)).unwrap();
    assert_eq!((visitor.actor, apart), (Actor::User(customer), None));
    assert_eq!(units(&shop, visitor.cart), 2);
    assert_eq!(cart(&shop, guest.cart).unwrap().status(), Status::Merged);
    assert_eq!(block_on(visitors.visit(b"new")), Ok(visitor));
    // The old secret is a guest's again, with another cart.
    let after = block_on(visitors.visit(b"one")).unwrap();
    assert_eq!(after.actor, guest.actor);
    assert_ne!(after.cart, guest.cart);

    // On another device, where something is in the cart as well.
    let phone = block_on(visitors.visit(b"phone")).unwrap();
    add(&shop, phone, 3);
    let there = block_on(visitors.log_in(b"phone", b"phone-2", customer)).unwrap();
    assert_eq!(there, LoggedIn { visitor, apart: None });
    assert_eq!(units(&shop, visitor.cart), 5);
    assert_eq!(block_on(visitors.log_out(b"phone-2")), Ok(true));
    assert_eq!(block_on(visitors.log_out(b"phone-2")), Ok(false));
    assert!(matches!(block_on(visitors.visit(b"phone-2")).unwrap().actor, Actor::Guest(_)));
    // Somebody else on the same device takes nothing along.
    let next = block_on(visitors.log_in(b"new", b"newer", Shop::customer(2))).unwrap();
    assert_eq!(units(&shop, next.visitor.cart), 0);
    assert_eq!(units(&shop, visitor.cart), 5);
}

#[test]
fn a_session_lasts_as_long_as_it_is_used() {
    let (shop, _, visitors) = shop();
    let LoggedIn { visitor, .. } = block_on(visitors.log_in(b"a", b"b", Shop::customer(1))).unwrap();
    add(&shop, visitor, 1);
    for _ in 0..6 {
        shop.clock.advance(IDLE / 2);
        assert_eq!(block_on(visitors.visit(b"b")), Ok(visitor));
    }
    shop.clock.advance(IDLE);
    let guest = block_on(visitors.visit(b"b")).unwrap();
    assert!(matches!(guest.actor, Actor::Guest(_)));
    let again = block_on(visitors.log_in(b"b", b"c", Shop::customer(1))).unwrap();
    assert_eq!(again.visitor, visitor, "the cart is still there");

    let hasty = visitors.idle_for(Duration::from_secs(60));
    block_on(hasty.log_in(b"d", b"e", Shop::customer(1))).unwrap();
    shop.clock.advance(Duration::from_secs(60));
    assert!(matches!(block_on(hasty.visit(b"e")).unwrap().actor, Actor::Guest(_)));
}

#[test]
fn a_cart_that_does_not_fit_stays_apart() {
    let (shop, _, visitors) = shop();
    let customer = Shop::customer(1);
    let LoggedIn { visitor, .. } = block_on(visitors.log_in(b"a", b"b", customer)).unwrap();
    let create = CartCommand::Create { owner: Owner::Subject(customer.cast()), currency: Currency::USD };
    block_on(shop.commerce.acting_as(visitor.actor).execute(visitor.cart, create)).unwrap();
    let guest = block_on(visitors.visit(b"c")).unwrap();
    add(&shop, guest, 1);
    let logged_in = block_on(visitors.log_in(b"c", b"d", customer)).unwrap();
    assert_eq!(logged_in.visitor, visitor);
    assert!(
        matches!(logged_in.apart, Some((cart, CartError::CurrencyMismatch { .. })) if cart == guest.cart)
    );
    assert_eq!(units(&shop, guest.cart), 1);
}

#[test]
fn what_is_no_session_of_ours_is_none() {
    let (shop, ..) = shop();
    let sessions = Arc::new(MemorySessions::new(Arc::new(shop.clock.clone())));
    let visitors = shop.staff().visitors(sessions.clone()).unwrap();
    let guest = block_on(visitors.visit(b"a")).unwrap();
    let write = SessionWrite { data: (*b"{").into(), idle: IDLE, expected: Expected::Any };
    block_on(sessions.put(&SessionKey::new("visitor", b"a"), write)).unwrap();
    assert_eq!(block_on(visitors.visit(b"a")), Ok(guest));
    assert!(shop.buyer(1).visitors(sessions).is_err(), "only the host may act as anybody");
}

/// Whichever call of the session store fails, before its effect or behind it: the login is made again, and
/// everything is in one cart, once.
#[test]
fn a_login_that_fails_is_made_again() {
    let faults = [Fault::FailBefore, Fault::FailAfter];
    for (call, fault) in (1..=3).flat_map(|call| faults.map(|fault| (call, fault))) {
        let (shop, faults, visitors) = shop();
        let guest = block_on(visitors.visit(b"one")).unwrap();
        add(&shop, guest, 2);
        faults.rewrite(Script::default().call(call, fault));
        let failed = block_on(visitors.log_in(b"one", b"new", Shop::customer(1))).unwrap_err();
        assert!(matches!(failed, VisitorError::Sessions(_)), "{call}");
        assert_eq!(failed.class(), ErrorClass::Unavailable);
        let done = block_on(visitors.log_in(b"one", b"new", Shop::customer(1))).unwrap();
        assert_eq!((units(&shop, done.visitor.cart), done.apart), (2, None), "{call} {fault}");
        assert_eq!(block_on(visitors.visit(b"new")), Ok(done.visitor));
    }
}

proptest! {
    #![proptest_config(cases(48))]

    /// However many carts are over, the present one is found, with what a session still knows or without.
    #[test]
    fn the_present_cart_is_found(over in 0..40_u32, visited in 0..40_u32) {
        let (shop, _, visitors) = shop();
        for number in 0..over {
            // Between visits several may end.
            let visitor = block_on(visitors.guest(b"a")).unwrap();
            add(&shop, visitor, 1);
            end(&shop, visitor.cart);
            if number == visited {
                block_on(visitors.visit(b"a")).unwrap();
            }
        }
        let present = block_on(visitors.visit(b"a")).unwrap();
        prop_assert_eq!(cart(&shop, present.cart), None);
        add(&shop, present, 1);
        prop_assert_eq!(block_on(visitors.visit(b"a")).unwrap(), present);
        block_on(visitors.log_out(b"a")).unwrap();
        prop_assert_eq!(block_on(visitors.visit(b"a")).unwrap(), present);
    }
}
