//! How often a use case tries, and what it makes of an answer that was lost.
#![allow(clippy::unwrap_used, clippy::panic)] // a failing step is a failing test

use std::sync::Arc;

use commerce_adapters_memory::MemoryStore;
use commerce_core::app::callback::PaymentCallbackError;
use commerce_core::app::commerce::{Commerce, Platform};
use commerce_core::app::error::CommandError;
use commerce_core::carts::Cart;
use commerce_core::checkout::{CheckoutError, payment_of};
use commerce_core::inventory::{StockCommand, StockItem, stock_item_id};
use commerce_core::kernel::aggregate::Aggregate as _;
use commerce_core::kernel::error::{CommitError, Effect, PortError};
use commerce_core::kernel::stream::{StreamId, Version};
use commerce_core::kernel::unique::Key;
use commerce_core::orders::{NUMBER_SCOPE, Order};
use commerce_core::payments::{Payment, PaymentError, REFERENCE_SCOPE};
use commerce_core::port::payment::ChargeState;
use commerce_core::port::store::Store;
use commerce_core::value::actor::Actor;
use commerce_core::value::id::{CartId, CommandId, LocationId};
use commerce_core::value::{Quantity, Sku};
use commerce_testkit::fake::{Clock, Gateway, Ids, Sleeper};
use commerce_testkit::faulty::{Fault, Faults, Faulty, Port, Script};
use commerce_testkit::shop::Shop;
use commerce_tests::audit::Audit;
use commerce_tests::refusing::Refusing;
use commerce_tests::world::id;
use pollster::block_on;

/// A shop whose commits go wrong as written, and the store below.
fn shop(script: Script) -> (Commerce, MemoryStore, Faults) {
    let clock = Clock::default();
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    let faults = Faults::scripted(script);
    let port: Arc<dyn Store> = Arc::new(store.clone());
    let faulty: Faulty<dyn Store> = Faulty::on(port, faults.clone());
    let platform = Platform {
        clock: Arc::new(clock.clone()),
        sleeper: Arc::new(Sleeper::jumping(clock)),
        ids: Arc::new(Ids::seeded(1)),
    };
    (Commerce::new(faulty, platform).acting_as(Actor::System), store, faults)
}

fn every_commit(fault: Fault, count: u64) -> Script {
    (1..=count).fold(Script::default(), |script, nth| script.nth(Port::Store, "commit", nth, fault))
}

fn open(shop: &Commerce) -> Result<(), CommandError<commerce_core::inventory::StockError>> {
    let (sku, location): (_, LocationId) = (Sku::new("MUG").unwrap(), id("north"));
    let item = stock_item_id(&sku, location);
    block_on(shop.execute(item, StockCommand::Open { sku, location })).map(drop)
}

fn receive(
    shop: &Commerce,
    command: CommandId,
) -> Result<bool, CommandError<commerce_core::inventory::StockError>> {
    let item = stock_item_id(&Sku::new("MUG").unwrap(), id("north"));
    let receive = StockCommand::Receive { quantity: Quantity::new(3).unwrap() };
    block_on(shop.with_command_id(command).execute(item, receive)).map(|done| done.repeated)
}

fn port_error<E: std::error::Error>(error: &CommandError<E>) -> PortError {
    match error {
        CommandError::Port(error) | CommandError::Commit(CommitError::Port(error)) => error.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_store_that_does_not_commit_is_asked_five_times() {
    let (shop, store, faults) = shop(every_commit(Fault::FailBefore, 50));
    let error = port_error(&open(&shop).unwrap_err());
    assert_eq!(error.effect, Effect::None);
    assert_eq!(faults.tally().of(Port::Store, Fault::FailBefore), 5);
    assert!(Audit::of(&store).all::<StockItem>().is_empty());
}

#[test]
fn the_fifth_attempt_counts() {
    let (shop, store, faults) = shop(every_commit(Fault::FailBefore, 4));
    open(&shop).unwrap();
    assert_eq!(faults.tally().of(Port::Store, Fault::FailBefore), 4);
    assert_eq!(Audit::of(&store).all::<StockItem>().len(), 1);
}

#[test]
fn a_lost_answer_is_found_out_by_the_first_event() {
    let (shop, store, _) = shop(every_commit(Fault::FailAfter, 1));
    open(&shop).unwrap();
    assert_eq!(Audit::of(&store).all::<StockItem>().len(), 1);
}

#[test]
fn a_lost_answer_is_found_out_by_the_mark() {
    let (shop, store, _) = shop(Script::default().nth(Port::Store, "commit", 2, Fault::FailAfter));
    open(&shop).unwrap();
    let command: CommandId = id("receive");
    assert!(!receive(&shop, command).unwrap(), "the first run of this command, for all the caller knows");
    assert!(receive(&shop, command).unwrap());
    let stock = Audit::of(&store).all::<StockItem>();
    assert_eq!(stock.len(), 1);
}

#[test]
fn what_stays_unknown_is_told_as_unknown() {
    // The first is carried out and its answer lost; from then on nobody answers.
    let later = (2..=50)
        .fold(Script::default(), |script, nth| script.nth(Port::Store, "commit", nth, Fault::FailBefore));
    let (shop, _, _) = shop(later.nth(Port::Store, "commit", 1, Fault::FailAfter));
    let error = port_error(&open(&shop).unwrap_err());
    assert_eq!(error.effect, Effect::Unknown);
}

/// A shop whose first commits of a kind are refused like this, and a cart in it.
fn refusing(kind: &'static str, refusal: fn() -> CommitError) -> (Shop, Refusing, CartId) {
    let clock = Clock::default();
    let store = Refusing::on(MemoryStore::with_clock(Arc::new(clock.clone())), kind, refusal);
    let shop = Shop::on(store.clone(), clock, Gateway::capturing());
    block_on(shop.list("MUG", "12.50", 10)).unwrap();
    let cart = block_on(shop.cart(1, &[("MUG", 1)])).unwrap();
    (shop, store, cart)
}

fn stale() -> CommitError {
    let stream = StreamId::new("cart", id::<Cart>("cart").uuid());
    CommitError::Stale { stream, expected: Version::new(1), actual: Version::new(2) }
}

fn taken(scope: &'static str) -> CommitError {
    let owner = StreamId::new("order", id::<Order>("another").uuid());
    CommitError::Taken { key: Key::new(scope, "N-1"), owner }
}

#[test]
fn a_checkout_is_decided_five_times_while_others_are_faster() {
    let (shop, store, cart) = refusing(Order::NAME, stale);
    store.next(50);
    let refused = block_on(shop.buy(1, cart)).unwrap_err();
    assert_eq!((refused, store.refused()), (CheckoutError::Conflict { attempts: 5 }, 5));
    store.next(4);
    assert!(block_on(shop.buy(1, cart)).is_ok());
    assert_eq!(store.refused(), 4);
}

#[test]
fn an_order_number_that_is_taken_is_replaced_and_nothing_else_is() {
    let (shop, store, cart) = refusing(Order::NAME, || taken(NUMBER_SCOPE));
    store.next(4);
    assert!(block_on(shop.buy(1, cart)).is_ok());
    assert_eq!(store.refused(), 4);
    let (shop, store, cart) = refusing(Order::NAME, || taken(NUMBER_SCOPE));
    store.next(50);
    assert!(matches!(block_on(shop.buy(1, cart)), Err(CheckoutError::Commit(CommitError::Taken { .. }))));
    assert_eq!(store.refused(), 5);
    let (shop, store, cart) = refusing(Order::NAME, || taken("another-scope"));
    store.next(50);
    assert!(matches!(block_on(shop.buy(1, cart)), Err(CheckoutError::Commit(CommitError::Taken { .. }))));
    assert_eq!(store.refused(), 1);
}

#[test]
fn a_charge_that_belongs_to_another_payment_is_a_mismatch_and_another_key_is_not() {
    let told = |scope: &'static str| {
        let clock = Clock::default();
        let store =
            Refusing::on(MemoryStore::with_clock(Arc::new(clock.clone())), Payment::NAME, move || {
                taken(scope)
            });
        let shop = Shop::on(store.clone(), clock, Gateway::redirecting("https://bank.example/3ds"));
        block_on(shop.list("MUG", "12.50", 10)).unwrap();
        let cart = block_on(shop.cart(1, &[("MUG", 1)])).unwrap();
        let sold = block_on(shop.buy(1, cart)).unwrap();
        let message = shop.gateway.decide(payment_of(sold.checkout), ChargeState::Authorized).unwrap();
        store.next(1);
        block_on(shop.commerce.payment_callback("fake", message.headers, message.body))
    };
    let mismatch = Err(PaymentCallbackError::Payment(PaymentError::ChargeMismatch));
    assert_eq!(told(REFERENCE_SCOPE), mismatch);
    let other = told("another-scope");
    assert!(matches!(other, Err(PaymentCallbackError::Checkout(CheckoutError::Commit(_)))), "{other:?}");
}
