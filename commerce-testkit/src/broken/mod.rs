//! A store that breaks one clause of its contract on demand.
//!
//! Without a [`Break`] it is a second, simple implementation of the contract, against which others can
//! be compared. With one it proves that the suite bites: the check that
//! [`caught_by`](Break::caught_by) names fails, and every check is failed by some break.

mod apply;
mod check;
mod flaw;
mod lease;
mod part;
mod pool;
mod read;
mod state;
mod store;
mod timer;

pub use flaw::Break;
pub use store::{BrokenStore, fixture};
