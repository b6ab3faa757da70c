//! Carts: what a buyer wants, before it is an order.
//!
//! A [`Cart`] knows variants, quantities, codes and where to send things, but no prices: those come from
//! the catalogue with every quote. A checkout locks the cart; while it is locked nothing but an event of
//! that checkout changes it, and a deadline that passes merely wakes the checkout. A cart that became an
//! order never changes again and always names that order.
//!
//! # Invariants
//!
//! - `carts_1` one currency per cart; every quantity is at least one, and setting zero removes the line;
//! - `carts_2` lines are keyed by variant, customisation and price override: equal keys sum;
//! - `carts_4` a cart in checkout changes by its own checkout only;
//! - `carts_5` a converted cart is immutable and names exactly one order;
//! - `carts_6` merging is idempotent, loses no line and applies every code once;
//! - `carts_7` a code applied twice is applied once, and removing it restores the state before;
//! - `carts_10` no operation scans the lines.

pub mod cart;
pub mod command;
mod decide;
pub mod error;
pub mod event;
mod evolve;
pub mod lines;
mod merge;
pub mod state;
#[cfg(test)]
mod tests;

pub use cart::Cart;
pub use command::CartCommand;
pub use error::CartError;
pub use event::CartEvent;
pub use lines::{CartLine, LineKey, Lines, PriceOverride};
pub use merge::MergeStrategy;
pub use state::{CheckoutLock, Status, TRANSITIONS};
