//! G8 with real deaths on real servers: a shop's process is killed with `SIGKILL` around every call, and
//! others go on from what the server has.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stdout)] // a failing step is a failing test

use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use commerce_core::port::store::Store;
use commerce_testkit::fake::Clock;
use commerce_testkit::kill::Scenario;
use commerce_testkit::kill::process::{Place, ProcessKills};
use commerce_tests::server::{Database, Redis};
use commerce_tests_servers::{on_postgres, on_redis};
use tokio::runtime::Runtime;

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap())
}

/// A name that no other place of this run has.
fn fresh() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let time = std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_micros());
    format!("shop_{time:x}_{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

struct OnPostgres<'d>(&'d Database, String);

impl Place for OnPostgres<'_> {
    fn open(&self, clock: Clock) -> Arc<dyn Store> {
        runtime().block_on(on_postgres(self.0.url(), &self.1, clock)).unwrap()
    }

    fn program(&self) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_shop_on_postgres"));
        program.args([self.0.url(), &self.1]);
        program
    }
}

struct OnRedis(String);

impl Place for OnRedis {
    fn open(&self, clock: Clock) -> Arc<dyn Store> {
        runtime().block_on(on_redis(&Redis::shared(), &self.0, clock)).unwrap()
    }

    fn program(&self) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_shop_on_redis"));
        program.args([&Redis::shared(), &self.0]);
        program
    }
}

fn survives<P: Place>(make: impl Fn() -> P, scenario: Scenario) {
    let _entered = runtime().enter();
    let report = ProcessKills::on(make).once(scenario).unwrap();
    println!("{report}");
    assert!(report.failures.is_empty(), "{report}");
    assert!(report.calls >= 3 && report.kills == 2 * (2 * report.calls + 1), "{report}");
    assert!(report.slowest.as_secs() <= 30, "{report}");
}

fn on_a_database(scenario: Scenario) {
    let database = Database::new();
    survives(|| OnPostgres(&database, fresh()), scenario);
}

#[test]
fn g8_kill_9_on_postgres_captured_at_once() {
    on_a_database(Scenario::CapturedAtOnce);
}

#[test]
fn g8_kill_9_on_postgres_authorised_then_captured() {
    on_a_database(Scenario::AuthorisedThenCaptured);
}

#[test]
fn g8_kill_9_on_postgres_redirected() {
    on_a_database(Scenario::Redirected);
}

#[test]
fn g8_kill_9_on_postgres_declined() {
    on_a_database(Scenario::Declined);
}

#[test]
fn g8_kill_9_on_postgres_refunded() {
    on_a_database(Scenario::Refunded);
}

#[test]
fn g8_kill_9_on_postgres_cancelled_reserved() {
    on_a_database(Scenario::CancelledReserved);
}

#[test]
fn g8_kill_9_on_redis_captured_at_once() {
    survives(|| OnRedis(fresh()), Scenario::CapturedAtOnce);
}

#[test]
fn g8_kill_9_on_redis_authorised_then_captured() {
    survives(|| OnRedis(fresh()), Scenario::AuthorisedThenCaptured);
}

#[test]
fn g8_kill_9_on_redis_declined() {
    survives(|| OnRedis(fresh()), Scenario::Declined);
}

#[test]
fn g8_kill_9_on_redis_cancelled_paid() {
    survives(|| OnRedis(fresh()), Scenario::CancelledPaid);
}

#[test]
fn g8_kill_9_on_redis_sent() {
    survives(|| OnRedis(fresh()), Scenario::Sent);
}
