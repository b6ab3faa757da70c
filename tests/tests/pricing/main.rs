//! Prices of carts: the invariants that are about evaluating promotions, taxes and rounding.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a failing step is a failing test

mod hostile;
mod money;
mod promotions;
