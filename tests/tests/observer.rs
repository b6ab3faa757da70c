//! Signals: each is raised where it should be, and none says anything about people.
#![allow(clippy::unwrap_used)] // a failing step is a failing test

use std::collections::BTreeSet;
use std::sync::Arc;

use commerce_core::kernel::stream::Position;
use commerce_core::port::observer::{NoObserver, Observer, Observers, Signal};
use commerce_core::port::store::{LogQuery, Store};
use commerce_tests::watched::{Diary, PERSONAL, REQUEST, everything, redirected};
use pollster::block_on;

/// Raised by the PostgreSQL adapter only; a test of that adapter has it raised.
const ELSEWHERE: [&str; 1] = ["commit_coalesced"];

fn diary() -> Diary {
    let diary = Diary::default();
    let (seen, nobody): (Arc<dyn Observer>, Arc<dyn Observer>) =
        (Arc::new(diary.clone()), Arc::new(NoObserver));
    let both: Arc<dyn Observer> = Arc::new(Observers::of([nobody, seen]));
    block_on(everything(&both));
    diary
}

#[test]
fn every_signal_is_raised_by_something_that_happens() {
    let diary = diary();
    let seen: BTreeSet<&str> = diary.entries().iter().map(|(name, _)| *name).chain(ELSEWHERE).collect();
    assert_eq!(seen, Signal::NAMES.iter().copied().collect());
    let expected: &[(&str, &[&str])] = &[
        ("command_handled", &["\"cart\"", "outcome: Done", "attempts: 3"]),
        ("command_handled", &["\"cart\"", "outcome: Repeated"]),
        ("command_handled", &["\"cart\"", "outcome: Failed(Refused)"]),
        ("command_handled", &["\"cart\"", "outcome: Failed(Contended)", "attempts: 5"]),
        ("command_handled", &["\"checkout\"", "\"start\"", "outcome: Done", "correlation: Some"]),
        ("command_handled", &["\"order\"", "\"cancel-order\"", "outcome: Done"]),
        ("command_handled", &["\"shipment\"", "\"dispatch\"", "outcome: Done"]),
        ("command_handled", &["\"payment\"", "\"record\"", "outcome: Done", "attempts: 1"]),
        ("command_handled", &["\"payment\"", "\"record\"", "outcome: Repeated"]),
        ("command_handled", &["\"payment\"", "\"record\"", "outcome: Failed(Refused)"]),
        ("commit_conflicted", &["\"cart\"", "actual: Version(1)"]),
        ("saga_step", &["\"price\"", "Taken"]),
        ("saga_step", &["\"notify\"", "Taken"]),
        ("saga_step", &["\"authorise\"", "Waits"]),
        ("saga_step", &["\"authorise\"", "Failed"]),
        ("saga_step", &["\"reserve_stock\"", "Undone"]),
        ("saga_parked", &["\"capture\""]),
        ("callback_quarantined", &["\"fake\"", "\"signature\""]),
        ("circuit_changed", &["\"acme\"", "Open"]),
        ("circuit_changed", &["\"acme\"", "HalfOpen"]),
        ("circuit_changed", &["\"acme\"", "Closed"]),
        ("port_call", &["\"fake\"", "\"authorize\"", "Answered"]),
        ("port_call", &["\"acme\"", "Failed(Unavailable, None)"]),
        ("port_call", &["\"acme\"", "Unknown"]),
        ("port_call", &["\"acme\"", "Abandoned"]),
        ("port_call", &["\"fake\"", "Declined"]),
        ("cache_read", &["\"user\"", "\"profile\"", "Hit"]),
        ("cache_read", &["Stale"]),
        ("cache_read", &["Loaded"]),
        ("cache_read", &["Failed"]),
        ("dead_letter", &["\"grumpy\"", "\"OrderPlaced\"", "attempts: 1"]),
        ("dead_letter", &["\"grumpy\"", "name: \"other\"", "correlation: Some"]),
        ("dead_letter", &["\"grumpy\"", "name: \"other\"", "correlation: None"]),
        ("relay_lag", &["\"relay\"", "events: Some(0)", "age: Some(0ns)"]),
        ("relay_lag", &["\"relay\"", "events: None", "age: Some("]),
        ("consumer_lag", &["\"grumpy\"", "events: Some(", "age: None"]),
        ("projection_lag", &["\"order_list\"", "events: Some(0)"]),
    ];
    let missing: Vec<_> = expected.iter().filter(|(name, what)| !diary.shows(name, what)).collect();
    assert!(missing.is_empty(), "{missing:#?} of {:#?}", diary.entries());
}

#[test]
fn no_signal_says_anything_about_people() {
    let entries = diary().entries();
    assert!(entries.len() > 200, "{}", entries.len());
    for (_, text) in entries {
        for personal in PERSONAL {
            assert!(!text.contains(personal), "{personal} in {text}");
        }
    }
}

#[test]
fn what_follows_from_a_request_bears_its_id() {
    let diary = Diary::default();
    let observer: Arc<dyn Observer> = Arc::new(diary.clone());
    let (_, store, receipt) = block_on(redirected(&observer));
    let log = block_on(store.read_all(LogQuery::after(Position::START, 500))).unwrap().events;
    let of_saga = log.iter().filter(|event| event.stream.id == receipt.checkout.uuid());
    let of_saga: Vec<_> = of_saga.collect();
    assert!(of_saga.iter().any(|event| event.event.name == "CheckoutCompensated"), "a timer ended it");
    for event in of_saga {
        assert_eq!(event.event.metadata.correlation, REQUEST, "{}", event.event.name);
    }
    for (name, text) in diary.entries() {
        if name == "saga_step" {
            assert!(text.contains(&REQUEST.to_string()), "{text}");
        }
    }
}
