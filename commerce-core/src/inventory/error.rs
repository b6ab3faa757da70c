//! Why stock and reservations refuse.

use super::state::Status;
use crate::value::time::Timestamp;

/// The stock of a SKU refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StockError {
    /// No stock is kept of it.
    #[error("no stock is kept of this sku here")]
    NotOpened,
    /// The id belongs to another SKU or location.
    #[error("the id belongs to another sku or location")]
    IdMismatch,
}

/// A reservation refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReservationError {
    /// There is none.
    #[error("there is no such reservation")]
    NotFound,
    /// The id is in use for other lines or another checkout.
    #[error("the id is in use for another reservation")]
    AlreadyHeld,
    /// Nothing to hold.
    #[error("a reservation needs at least one line")]
    Empty,
    /// More lines than can be numbered.
    #[error("a reservation has at most {max} lines")]
    TooManyLines {
        /// The most.
        max: usize,
    },
    /// The hold would end before it begins, or beyond its limit.
    #[error("a hold cannot end at {expires_at}")]
    BadExpiry {
        /// The end that was asked for.
        expires_at: Timestamp,
    },
    /// The hold is over by the clock.
    #[error("the hold ended at {expired_at}")]
    Expired {
        /// When.
        expired_at: Timestamp,
    },
    /// The hold is not over yet, or has no end.
    #[error("the hold is not over")]
    NotExpired,
    /// The step is not possible in this state.
    #[error("a {status:?} reservation cannot {command}")]
    IllegalTransition {
        /// Where it stands.
        status: Status,
        /// What was asked.
        command: &'static str,
    },
    /// There is no line with this number.
    #[error("there is no line {line}")]
    NoSuchLine {
        /// The number.
        line: u32,
    },
    /// Fewer units are open than asked for.
    #[error("line {line} has {open} open units, not {wanted}")]
    NotThatMany {
        /// The line.
        line: u32,
        /// Units open.
        open: u32,
        /// Units asked for.
        wanted: u32,
    },
}
