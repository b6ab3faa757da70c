//! Scenarios of the checkout saga, and how they fail.
#![allow(clippy::unwrap_used)] // a failing step is a failing test

use std::sync::Arc;
use std::time::Duration;

use commerce_adapters_memory::MemoryStore;
use commerce_core::checkout::machine::{Status, Step};
use commerce_core::checkout::steps::Awaits;
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::kernel::stream::Position;
use commerce_core::orders::OrderCommand;
use commerce_core::payments::PaymentCommand;
use commerce_core::port::payment::{GatewayFact, GatewayRef};
use commerce_core::port::store::{LogQuery, Store};
use commerce_core::value::Reason;
use commerce_core::value::id::CheckoutId;
use commerce_testkit::fake::{Behaviour, Clock, Gateway, START};
use commerce_testkit::given_checkout;
use commerce_testkit::shop::Shop;
use pollster::block_on;

/// A checkout that waits for its gateway, and everything that has happened.
fn waiting() -> (CheckoutId, Vec<Arc<RecordedEvent>>) {
    let clock = Clock::default();
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    let shop = Shop::on(store.clone(), clock, Gateway::new(Behaviour::Redirect("https://bank.example")));
    block_on(shop.list("MUG", "12.50", 5)).unwrap();
    let cart = block_on(shop.cart(1, &[("MUG", 2)])).unwrap();
    let receipt = block_on(shop.buy(1, cart)).unwrap();
    let log = block_on(store.read_all(LogQuery::after(Position::START, 1000))).unwrap();
    (receipt.checkout, log.events)
}

fn fact(fact: GatewayFact) -> PaymentCommand {
    PaymentCommand::Record { charge: GatewayRef("charge-1".into()), fact, resolve_at: START }
}

fn captured() -> PaymentCommand {
    let (operation, amount) = (GatewayRef("charge-1".into()), Shop::euros(2500));
    fact(GatewayFact::Captured { operation, amount })
}

const CONFIRMED: [&str; 11] = [
    "payment PaymentProcessed",
    "order OrderConfirmed",
    "order OrderPaymentNoted",
    "reservation InventoryCommitted",
    "cart CartConverted",
    "cart CartUnwatched",
    "shipment ShipmentCreated",
    "notification NotificationQueued",
    "checkout CheckoutStepsTaken",
    "checkout CheckoutCompleted",
    "checkout never",
];

#[test]
fn money_that_arrives_completes_the_checkout() {
    let (checkout, log) = waiting();
    given_checkout(checkout, &log)
        .when_payment(captured())
        .then_names(&CONFIRMED[..10])
        .then_status(Status::Completed)
        .then_awaits(Awaits::Nothing)
        .and()
        .when_payment(captured())
        .then_nothing();
}

#[test]
fn a_buyer_who_takes_too_long_is_given_up() {
    let (checkout, log) = waiting();
    given_checkout(checkout, &log)
        .when_time_passes(Duration::from_secs(60))
        .then_nothing()
        .then_awaits(Awaits::Outside)
        .and()
        .when_time_passes(Duration::from_secs(720))
        .then_status(Status::Compensated);
}

#[test]
fn an_order_that_is_cancelled_undoes_its_checkout() {
    let (checkout, log) = waiting();
    let cancel = OrderCommand::Cancel { reason: Reason::new("changed their mind").unwrap() };
    given_checkout(checkout, &log).when_order(cancel).then_status(Status::Compensated);
}

fn text_of(work: impl FnOnce() + std::panic::UnwindSafe) -> String {
    *std::panic::catch_unwind(work).unwrap_err().downcast::<String>().unwrap()
}

#[test]
fn failures_read_like_this() {
    let (checkout, log) = waiting();
    let text = text_of(move || {
        let _ = given_checkout(checkout, &log).when_payment(captured()).then_names(&CONFIRMED);
    });
    let expected = include_str!("golden/saga_names.txt");
    assert_eq!(text.trim_end(), expected.trim_end(), "the new text:\n{text}");
    let (checkout, log) = waiting();
    let text = text_of(move || {
        let given = given_checkout(checkout, &log).when_time_passes(Duration::from_secs(1));
        let _ = given.then_status(Status::Running(Step::Confirm));
    });
    let expected = include_str!("golden/saga_status.txt");
    assert_eq!(text.trim_end(), expected.trim_end(), "the new text:\n{text}");
}
