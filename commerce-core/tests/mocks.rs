//! A host's test with mocks: which calls are made of the ports, and in which order.
#![allow(clippy::unwrap_used)] // a failing step is a failing test

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use commerce_core::app::commerce::{Commerce, Platform};
use commerce_core::app::error::CommandError;
use commerce_core::inventory::{StockCommand, StockError, stock_item_id};
use commerce_core::kernel::commit::{Loaded, LoadedStream, Receipt};
use commerce_core::kernel::error::{Effect, ErrorClass, PortError, PortErrorKind};
use commerce_core::kernel::stream::{Position, StreamId, Version};
use commerce_core::mock::{MockClock, MockIds, MockObserver, MockSleeper, MockStore};
use commerce_core::port::observer::{Outcome, Signal};
use commerce_core::value::actor::Actor;
use commerce_core::value::id::{Id, LocationId};
use commerce_core::value::{Sku, time::Timestamp};
use mockall::Sequence;
use uuid::Uuid;

/// The time never passes, ids count up, and nobody waits.
fn platform() -> Platform {
    let mut clock = MockClock::new();
    clock.expect_now().returning(|| Timestamp::UNIX_EPOCH);
    let mut ids = MockIds::new();
    let mut count = 0;
    ids.expect_next().returning_st(move |_| {
        count += 1;
        Uuid::from_u128(count)
    });
    let mut sleeper = MockSleeper::new();
    sleeper.expect_sleep_until().returning(|_| ());
    Platform { clock: Arc::new(clock), sleeper: Arc::new(sleeper), ids: Arc::new(ids) }
}

/// Mocks answer at once, so a future is done when it is polled.
fn done<F: Future>(future: F) -> F::Output {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("a mock never waits"),
    }
}

fn nothing() -> Loaded {
    let location = LocationId::derived(Uuid::nil(), b"main");
    let id = stock_item_id(&Sku::new("MUG").unwrap(), location);
    let stream = StreamId::new("stock_item", id.uuid());
    let absent = LoadedStream { stream, version: Version::NONE, snapshot: None, events: Vec::new() };
    Loaded { streams: vec![absent], ..Loaded::default() }
}

/// Opens the stock of a SKU in a shop on this store.
fn open(store: MockStore) -> Result<Option<Position>, CommandError<StockError>> {
    open_in(&Commerce::new(store, platform()))
}

fn open_in(shop: &Commerce) -> Result<Option<Position>, CommandError<StockError>> {
    let staff = shop.acting_as(Actor::Admin(Id::derived(Uuid::nil(), b"staff")));
    let (sku, location) = (Sku::new("MUG").unwrap(), LocationId::derived(Uuid::nil(), b"main"));
    let id = stock_item_id(&sku, location);
    done(staff.execute(id, StockCommand::Open { sku, location })).map(|executed| executed.position)
}

#[test]
fn an_answer_that_is_lost_is_asked_for_with_the_same_commit() {
    let mut store = MockStore::new();
    let mut order = Sequence::new();
    store.expect_load().times(1).in_sequence(&mut order).returning(|_| Ok(nothing()));
    let sent = Arc::new(Mutex::new(Vec::new()));
    for lost in [true, false] {
        let sent = Arc::clone(&sent);
        store.expect_commit().times(1).in_sequence(&mut order).returning(move |commit| {
            sent.lock().unwrap().push(commit);
            let unknown = PortError::new(PortErrorKind::Timeout, Effect::Unknown, "mock", "commit");
            if lost { Err(unknown.into()) } else { Ok(Receipt { position: Position::from_parts(0, 1) }) }
        });
    }
    assert_eq!(open(store).unwrap(), Some(Position::from_parts(0, 1)));
    let sent = sent.lock().unwrap();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent.first(), sent.last());
}

#[test]
fn a_command_is_told_to_whoever_watches() {
    let mut store = MockStore::new();
    store.expect_load().returning(|_| Ok(nothing()));
    store.expect_commit().returning(|_| Ok(Receipt { position: Position::from_parts(0, 1) }));
    let mut observer = MockObserver::new();
    let done = |signal: &Signal<'_>| {
        matches!(signal, Signal::CommandHandled { aggregate: "stock_item", outcome: Outcome::Done, .. })
    };
    observer.expect_observe().times(1).withf(done).return_const(());
    let shop = Commerce::new(store, platform()).with_observer(Arc::new(observer));
    assert!(open_in(&shop).unwrap().is_some());
}

#[test]
fn a_store_that_does_not_answer_is_unavailable() {
    let mut store = MockStore::new();
    store
        .expect_load()
        .returning(|_| Err(PortError::new(PortErrorKind::Unavailable, Effect::None, "mock", "load")));
    store.expect_commit().never();
    let error = open(store).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Unavailable);
}
