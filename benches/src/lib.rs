//! What the benches of adapters share.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a bench measures, prints and fails by panicking"
)]

#[cfg(any(feature = "postgres", feature = "redis"))]
pub mod cpu;
#[cfg(any(feature = "postgres", feature = "redis"))]
pub mod order;

/// The middle one.
pub fn middle<T: Ord + Copy>(values: impl Iterator<Item = T>) -> T {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values[values.len() / 2]
}

/// A number of hundredths as people write it.
pub fn hundredths(value: u64) -> String {
    format!("{}.{:02}", value / 100, value % 100)
}
