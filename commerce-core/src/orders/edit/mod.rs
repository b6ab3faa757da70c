//! Edits: changes of a confirmed order that are put together, shown, agreed to, and then made at once.
//!
//! An edit is an aggregate of its own, so nothing of it touches the order before it is confirmed. What is
//! confirmed is the very proposal that was shown.
//!
//! # Invariants
//!
//! - `orders_7` a preview has no effect; confirming is one commit; the balance behind it is
//!   new total − captured + refunded; a declined edit leaves the order as it was, byte for byte;
//! - `promotions_10` promotions are those stored with the order, in the version stored there.

pub mod command;
pub mod error;
pub mod event;
pub mod state;

pub use command::OrderEditCommand;
pub use error::OrderEditError;
pub use event::{Addition, OrderEditEvent, Proposal};
pub use state::{EDIT_TRANSITIONS, MAX_CHANGES, OrderEdit, OrderEditStatus};
