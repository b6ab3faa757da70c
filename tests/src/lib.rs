//! Suites that cross crates: what they share.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a test fails by panicking, and this crate is read by tests only"
)]

pub mod aggregates;
pub mod audit;
pub mod counting;
pub mod differential;
pub mod house;
pub mod interrupted;
pub mod notes;
pub mod orders;
pub mod refusing;
pub mod server;
pub mod shopping;
pub mod stock;
pub mod story;
pub mod traffic;
pub mod watched;
pub mod world;

use proptest::test_runner::Config;

/// How a property is run: this many cases, and nothing written beside the sources.
pub fn cases(count: u32) -> Config {
    Config { cases: count, failure_persistence: None, ..Config::default() }
}
