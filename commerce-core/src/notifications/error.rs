//! Why notifications refuse.

use super::state::Status;
use crate::value::time::Timestamp;

/// A notification refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotificationError {
    /// There is none.
    #[error("there is no such notification")]
    NotFound,
    /// The id is in use for another message.
    #[error("the id is in use for another message")]
    AlreadyQueued,
    /// More data than a message takes.
    #[error("a message takes at most {max} values")]
    TooMuchData {
        /// The most.
        max: usize,
    },
    /// A policy without attempts.
    #[error("a message needs at least one attempt")]
    NoAttempts,
    /// It is not due yet.
    #[error("the message is due at {at}")]
    NotDue {
        /// When.
        at: Timestamp,
    },
    /// Another worker is sending it.
    #[error("the message is being sent until {until}")]
    BeingSent {
        /// When that worker is given up.
        until: Timestamp,
    },
    /// The attempt would be given up before it begins.
    #[error("an attempt cannot be given up at {until}")]
    BadLease {
        /// When.
        until: Timestamp,
    },
    /// There was no such attempt.
    #[error("there was no attempt {attempt}")]
    NoSuchAttempt {
        /// Its number.
        attempt: u8,
    },
    /// The step is not possible in this state.
    #[error("a {status:?} message cannot {command}")]
    IllegalTransition {
        /// Where it stands.
        status: Status,
        /// What was asked.
        command: &'static str,
    },
}
