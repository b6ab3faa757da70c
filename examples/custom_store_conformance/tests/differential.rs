//! The store gives the same answers as the memory store, and holds the same after it was opened again.
#![allow(clippy::unwrap_used)] // a failing step is a failing test

mod folder;

use std::sync::Arc;

use commerce_adapters_memory::MemoryStore;
use commerce_testkit::conformance::{Fixture, block_on};
use commerce_testkit::fake::Clock;
use commerce_testkit::race::{Differential, differential};

#[test]
fn g2_memory_and_file_give_the_same_answers() {
    let memory = || async { Fixture::new(MemoryStore::with_clock(Arc::new(Clock::default()))) };
    let tally = block_on(differential(Differential::of(100), memory, folder::fresh)).unwrap();
    println!("{tally}");
    assert_eq!(tally.of("reopened"), tally.of("sequences"));
}
