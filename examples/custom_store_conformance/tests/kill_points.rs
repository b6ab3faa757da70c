//! G8 on a durable store: a shop's process dies at every call, and another one goes on from the same file.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // a failing step is a failing test

mod folder;

use std::sync::{Arc, Mutex};

use commerce_core::port::store::Store;
use commerce_testkit::fake::Clock;
use commerce_testkit::kill::{KillPoints, Scenario};
use custom_store_conformance::FileStore;
use folder::Folder;
use pollster::block_on;

/// Kills everywhere once, each time on a store in a folder of its own.
fn survives(scenario: Scenario) {
    // The last folder stays until the next store is made, or all are done.
    let folders = Mutex::new(Vec::new());
    let fresh = |clock: Clock| {
        let folder = Folder::new();
        let store: Arc<dyn Store> = Arc::new(FileStore::open(folder.path(), Arc::new(clock)).unwrap());
        folders.lock().unwrap().push(folder);
        async { store }
    };
    let report = block_on(KillPoints::on(fresh).once(scenario));
    println!("{report}");
    assert!(report.failures.is_empty(), "{report}");
    assert!(report.calls >= 3 && report.kills >= 2 * (2 * report.calls + 1), "{report}");
    assert!(report.slowest.as_secs() <= 30, "{report}");
}

#[test]
fn g8_captured_at_once() {
    survives(Scenario::CapturedAtOnce);
}

#[test]
fn g8_authorised_then_captured() {
    survives(Scenario::AuthorisedThenCaptured);
}

#[test]
fn g8_redirected() {
    survives(Scenario::Redirected);
}

#[test]
fn g8_declined() {
    survives(Scenario::Declined);
}

#[test]
fn g8_cancelled() {
    survives(Scenario::CancelledPaid);
}
