//! How often a use case tries, and what it makes of an answer that was lost.
#![allow(clippy::unwrap_used, clippy::panic)] // a failing step is a failing test

use std::sync::Arc;

use commerce_adapters_memory::MemoryStore;
use commerce_core::app::commerce::{Commerce, Platform};
use commerce_core::app::error::CommandError;
use commerce_core::inventory::{StockCommand, StockItem, stock_item_id};
use commerce_core::kernel::error::{CommitError, Effect, PortError};
use commerce_core::port::store::Store;
use commerce_core::value::actor::Actor;
use commerce_core::value::id::{CommandId, LocationId};
use commerce_core::value::{Quantity, Sku};
use commerce_testkit::fake::{Clock, Ids, Sleeper};
use commerce_testkit::faulty::{Fault, Faults, Faulty, Port, Script};
use commerce_tests::audit::Audit;
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
