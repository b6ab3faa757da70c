//! Races and orders on the memory store.
#![allow(clippy::expect_used)] // a failing step is a failing test

use std::sync::Arc;

use commerce_adapters_memory::MemoryStore;
use commerce_testkit::broken::BrokenStore;
use commerce_testkit::conformance::{Fixture, block_on};
use commerce_testkit::fake::Clock;
use commerce_testkit::race::{Differential, differential};

async fn fresh() -> Fixture {
    let clock = Clock::default();
    Fixture::new(MemoryStore::with_clock(Arc::new(clock.clone()))).with_clock(clock)
}

commerce_testkit::race_suites!(fresh);

/// The second store shares no line with the first.
#[test]
fn g2_two_stores_give_the_same_answers() {
    let size = Differential::of(1000);
    let other = || async { Fixture::new(BrokenStore::new(None, Arc::new(Clock::default()))) };
    let tally = block_on(differential(size, fresh, other)).expect("no difference");
    println!("{tally}");
    assert_eq!(tally.of("commits"), 50 * tally.of("sequences"));
}
