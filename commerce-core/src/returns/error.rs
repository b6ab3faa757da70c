//! Why returns refuse.

use super::state::Status;
use crate::value::id::OrderLineId;
use crate::value::time::Timestamp;

/// A return refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReturnError {
    /// There is none.
    #[error("there is no such return")]
    NotFound,
    /// The id is in use for another return.
    #[error("the id is in use for another return")]
    AlreadyExists,
    /// Nothing to return, approve or receive.
    #[error("a return needs at least one unit")]
    Empty,
    /// More lines than a return takes.
    #[error("a return has at most {max} lines")]
    TooManyLines {
        /// The most.
        max: usize,
    },
    /// A line is there twice.
    #[error("line {line} is there twice")]
    RepeatedLine {
        /// Which.
        line: OrderLineId,
    },
    /// The return has no such line.
    #[error("there is no line {line}")]
    NoSuchLine {
        /// Which.
        line: OrderLineId,
    },
    /// More units than can be.
    #[error("line {line} has {possible} units for this, not {wanted}")]
    NotThatMany {
        /// The line.
        line: OrderLineId,
        /// Units that can be.
        possible: u32,
        /// Units that were asked for.
        wanted: u32,
    },
    /// An inspection accounts for every received unit, no more and no less.
    #[error("line {line} has {received} received units, {inspected} were inspected")]
    IncompleteInspection {
        /// The line.
        line: OrderLineId,
        /// Units that arrived.
        received: u32,
        /// Units that the inspection accounts for.
        inspected: u32,
    },
    /// The time in which goods can be returned is over.
    #[error("returns were possible until {until}")]
    WindowOver {
        /// Since when.
        until: Timestamp,
    },
    /// The approval would end before it begins.
    #[error("an approval cannot end at {expires_at}")]
    BadExpiry {
        /// The end that was asked for.
        expires_at: Timestamp,
    },
    /// The approval is not over yet.
    #[error("the approval is not over")]
    NotExpired,
    /// A refund is not negative.
    #[error("a refund is not negative")]
    NegativeRefund,
    /// It was resolved otherwise.
    #[error("the return was resolved otherwise")]
    ResolvedOtherwise,
    /// The step is not possible in this state.
    #[error("a {status:?} return cannot {command}")]
    IllegalTransition {
        /// Where it stands.
        status: Status,
        /// What was asked.
        command: &'static str,
    },
}
