//! G8 on the memory store: a process dies at every call, once and twice in a row.
#![allow(clippy::print_stdout)] // the figures are what the run is for

use std::sync::Arc;

use commerce_adapters_memory::MemoryStore;
use commerce_core::port::store::Store;
use commerce_testkit::fake::Clock;
use commerce_testkit::kill::{KillPoints, Report, Scenario};
use pollster::block_on;

async fn memory(clock: Clock) -> Arc<dyn Store> {
    Arc::new(MemoryStore::with_clock(Arc::new(clock)))
}

/// Nothing failed, and whoever took over had finished within this many seconds.
fn passes(report: &Report, seconds: u64) {
    println!("{report}");
    assert!(report.failures.is_empty(), "{report}");
    assert!(report.calls >= 3 && report.kills > report.calls);
    assert!(report.slowest.as_secs() <= seconds, "{report}");
}

macro_rules! killed {
    ($($name:ident: $scenario:ident,)+) => {
        mod g8_once {
            use super::*;
            $(#[test] fn $name() {
                let report = block_on(KillPoints::on(memory).once(Scenario::$scenario));
                passes(&report, 30);
            })+
        }
        mod g8_twice {
            use super::*;
            $(#[test] fn $name() {
                // A timer that the second process had leased comes back when the lease of a minute ends.
                let kill = KillPoints::on(memory).second_at_every(7);
                passes(&block_on(kill.twice(Scenario::$scenario)), 90);
            })+
        }
    };
}

killed! {
    captured_at_once: CapturedAtOnce,
    authorised_then_captured: AuthorisedThenCaptured,
    answer_lost: AnswerLost,
    redirected: Redirected,
    abandoned: Abandoned,
    paid_too_late: PaidTooLate,
    declined: Declined,
    free: Free,
    out_of_stock: OutOfStock,
    cancelled_paid: CancelledPaid,
    cancelled_reserved: CancelledReserved,
    refunded: Refunded,
    sent: Sent,
}
