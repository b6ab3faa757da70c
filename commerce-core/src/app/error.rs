//! Why a command did not succeed, sorted by what a host does about it.

use crate::identity::Denied;
use crate::kernel::error::{CommitError, ErrorClass, PortError};
use crate::kernel::replay::ReplayError;

/// A command was not carried out. Unless the cause is a port whose effect is unknown, nothing happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError<E: std::error::Error + 'static> {
    /// The aggregate refuses.
    #[error("refused")]
    Rejected(#[source] E),
    /// The actor may not do this.
    #[error("not permitted")]
    Denied(#[from] Denied),
    /// Others were faster every time.
    #[error("others changed it {attempts} times in a row")]
    Conflict {
        /// How many decisions were made.
        attempts: u32,
    },
    /// The store refuses: a key that is taken, a pool that is short, a command id used for something else.
    #[error("refused by the store")]
    Commit(#[source] CommitError),
    /// A port failed.
    #[error("a port failed")]
    Port(#[from] PortError),
    /// What is stored cannot be read.
    #[error("what is stored cannot be read")]
    Corrupt(#[from] ReplayError),
}

impl<E: std::error::Error + 'static> CommandError<E> {
    /// What to do about it: the HTTP status in one match.
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Rejected(_) | Self::Denied(_) => ErrorClass::Refused,
            Self::Conflict { .. } => ErrorClass::Contended,
            Self::Commit(error) => error.class(),
            Self::Port(_) => ErrorClass::Unavailable,
            Self::Corrupt(_) => ErrorClass::Bug,
        }
    }

    /// Sorts what the store said once a whole decision is not tried again.
    pub(crate) fn from_commit(error: CommitError, attempts: u32) -> Self {
        match error {
            CommitError::Stale { .. } => Self::Conflict { attempts },
            CommitError::Port(port) => Self::Port(port),
            other => Self::Commit(other),
        }
    }
}
