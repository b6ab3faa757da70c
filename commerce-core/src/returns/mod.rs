//! Returns: goods that come back, counted line by line.
//!
//! A [`Return`] is asked for, approved, received, inspected and resolved. It keeps its counts and
//! nothing else: units that go on sale again are received by the stock item in the same commit, and how
//! much is refunded is handed in by whoever reads the order's stored prices.
//!
//! # Invariants
//!
//! - `returns_1` per line, inspected ≤ received ≤ approved ≤ requested ≤ returnable, at any time;
//! - `returns_2` inspected = restocked + damaged + rejected, and every received unit is inspected;
//! - `returns_3` steps follow the table, and each end is final.

pub mod command;
mod decide;
pub mod error;
pub mod event;
mod evolve;
pub mod goods_return;
pub mod state;
#[cfg(test)]
mod tests;

pub use command::ReturnCommand;
pub use error::ReturnError;
pub use event::{ApprovedLine, CountedLine, InspectedLine, RequestedLine, Resolution, ReturnEvent};
pub use goods_return::Return;
pub use state::{Line, Status, TRANSITIONS};
