//! G8 with real deaths: a shop's process is killed with `SIGKILL` around every call, and others go on from
//! its files.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stdout)] // a failing step is a failing test

mod folder;

use std::process::Command;
use std::sync::Arc;

use commerce_core::port::store::Store;
use commerce_testkit::fake::Clock;
use commerce_testkit::kill::Scenario;
use commerce_testkit::kill::process::{Place, ProcessKills};
use custom_store_conformance::FileStore;
use folder::Folder;

struct Files(Folder);

impl Place for Files {
    fn open(&self, clock: Clock) -> Arc<dyn Store> {
        Arc::new(FileStore::open(self.0.path(), Arc::new(clock)).unwrap())
    }

    fn program(&self) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_shop_on_file"));
        program.arg(self.0.path());
        program
    }
}

fn survives(scenario: Scenario) {
    let report = ProcessKills::on(|| Files(Folder::new())).once(scenario).unwrap();
    println!("{report}");
    assert!(report.failures.is_empty(), "{report}");
    assert!(report.calls >= 3 && report.kills == 2 * (2 * report.calls + 1), "{report}");
    assert!(report.slowest.as_secs() <= 30, "{report}");
}

#[test]
fn g8_kill_9_captured_at_once() {
    survives(Scenario::CapturedAtOnce);
}

#[test]
fn g8_kill_9_authorised_then_captured() {
    survives(Scenario::AuthorisedThenCaptured);
}

#[test]
fn g8_kill_9_answer_lost() {
    survives(Scenario::AnswerLost);
}

#[test]
fn g8_kill_9_redirected() {
    survives(Scenario::Redirected);
}

#[test]
fn g8_kill_9_paid_too_late() {
    survives(Scenario::PaidTooLate);
}

#[test]
fn g8_kill_9_abandoned() {
    survives(Scenario::Abandoned);
}

#[test]
fn g8_kill_9_free() {
    survives(Scenario::Free);
}

#[test]
fn g8_kill_9_out_of_stock() {
    survives(Scenario::OutOfStock);
}

#[test]
fn g8_kill_9_declined() {
    survives(Scenario::Declined);
}

#[test]
fn g8_kill_9_cancelled_paid() {
    survives(Scenario::CancelledPaid);
}

#[test]
fn g8_kill_9_cancelled_reserved() {
    survives(Scenario::CancelledReserved);
}

#[test]
fn g8_kill_9_refunded() {
    survives(Scenario::Refunded);
}

#[test]
fn g8_kill_9_sent() {
    survives(Scenario::Sent);
}
