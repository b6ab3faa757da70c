//! Errors of ports and commits, sorted by what a caller can do about them.

use std::fmt;
use std::sync::Arc;

use super::mark::{Handled, MarkKey};
use super::pool::PoolKey;
use super::stream::{StreamId, Version};
use super::timer::TimerKey;
use super::unique::Key;

/// What went wrong at a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PortErrorKind {
    /// The other side cannot be reached or does not work.
    Unavailable,
    /// No answer came in time.
    Timeout,
    /// The other side does not accept the request as it is.
    Invalid,
    /// The other side refuses this caller.
    Denied,
    /// The other side asks for fewer calls.
    Throttled,
    /// What came back makes no sense.
    Corrupt,
}

/// Whether a failed call may have had its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// It certainly did nothing.
    None,
    /// Nobody knows; never treated as "did not happen".
    Unknown,
}

/// A call to a port failed.
#[derive(Clone)]
pub struct PortError {
    /// What went wrong.
    pub kind: PortErrorKind,
    /// Whether it may have had its effect.
    pub effect: Effect,
    /// The port or its adapter, for example `postgres`.
    pub port: &'static str,
    /// The operation, for example `commit`.
    pub operation: &'static str,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl PortError {
    /// A failure of this kind and effect at a port's operation.
    pub const fn new(
        kind: PortErrorKind,
        effect: Effect,
        port: &'static str,
        operation: &'static str,
    ) -> Self {
        Self { kind, effect, port, operation, source: None }
    }

    /// With the error that caused it; the caller sees to it that no secret is in its text.
    #[must_use]
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }
}

impl fmt::Debug for PortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortError")
            .field("kind", &self.kind)
            .field("effect", &self.effect)
            .field("port", &self.port)
            .field("operation", &self.operation)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for PortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            PortErrorKind::Unavailable => "is unavailable",
            PortErrorKind::Timeout => "did not answer in time",
            PortErrorKind::Invalid => "does not accept the request",
            PortErrorKind::Denied => "refuses this caller",
            PortErrorKind::Throttled => "asks for fewer calls",
            PortErrorKind::Corrupt => "gave an answer that makes no sense",
        };
        let effect = match self.effect {
            Effect::None => "nothing happened",
            Effect::Unknown => "it may have happened",
        };
        write!(f, "{} {what} at {} ({effect})", self.port, self.operation)
    }
}

impl std::error::Error for PortError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn std::error::Error + 'static))
    }
}

impl PartialEq for PortError {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, self.effect, self.port, self.operation)
            == (other.kind, other.effect, other.port, other.operation)
    }
}
impl Eq for PortError {}

/// A pool that has too little.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shortage {
    /// The pool.
    pub pool: PoolKey,
    /// Net units wanted.
    pub wanted: i64,
    /// Units available above the floor.
    pub available: i64,
}

/// The most shortages that one refusal names.
pub const MAX_SHORTAGES: usize = 50;

/// A store refuses a commit or fails at it. Nothing of the commit was applied, except perhaps where a
/// [`PortError`] says that its effect is unknown.
///
/// Where several refusals apply, the earliest of this order is given, and within it the smallest key:
/// mark, lease and fence, version, unique key, pool.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// The mark is there: the same request was handled before.
    #[error("already handled")]
    AlreadyHandled(Handled),
    /// The mark is there for another request.
    #[error("{0} was used for another request")]
    KeyReused(MarkKey),
    /// The leased timer is not leased to the caller any more.
    #[error("the lease of {0} was lost")]
    LeaseLost(TimerKey),
    /// The named lease has another holder.
    #[error("the lease {0} has another holder")]
    Fenced(Arc<str>),
    /// A stream is not at the version that the decision was made on.
    #[error("{stream} is at {actual}, not at {expected}")]
    Stale {
        /// The stream.
        stream: StreamId,
        /// What the decision was made on.
        expected: Version,
        /// Where it is.
        actual: Version,
    },
    /// A key belongs to another stream.
    #[error("{key} belongs to another")]
    Taken {
        /// The key.
        key: Key,
        /// Who has it.
        owner: StreamId,
    },
    /// Pools have too little: all of them, sorted, at most [`MAX_SHORTAGES`].
    #[error("too little in {} pool(s)", .0.len())]
    Short(Vec<Shortage>),
    /// More would be given back or taken out than a pool holds: a bug in a caller.
    #[error("{0} does not hold what is to leave it")]
    Unbalanced(PoolKey),
    /// The commit breaks a rule of its own form: a bug in a caller.
    #[error("not a commit: {0}")]
    Malformed(&'static str),
    /// The store failed.
    #[error("the store failed")]
    Port(#[from] PortError),
}

/// What a host does about an error: the HTTP status in one match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// The request is refused for a reason it can act on.
    Refused,
    /// Others were faster; try again.
    Contended,
    /// Something it depends on does not work; try again later.
    Unavailable,
    /// A defect or a damaged store.
    Bug,
}

impl CommitError {
    /// What to do about it.
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::AlreadyHandled(_) | Self::KeyReused(_) | Self::Taken { .. } | Self::Short(_) => {
                ErrorClass::Refused
            }
            Self::LeaseLost(_) | Self::Fenced(_) | Self::Stale { .. } => ErrorClass::Contended,
            Self::Unbalanced(_) | Self::Malformed(_) => ErrorClass::Bug,
            Self::Port(_) => ErrorClass::Unavailable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_errors_are_equal_by_what_they_say_and_not_by_their_cause() {
        let error = PortError::new(PortErrorKind::Timeout, Effect::Unknown, "postgres", "commit");
        assert_eq!(error.clone().with_source(fmt::Error), error);
        let others = [
            PortError::new(PortErrorKind::Corrupt, Effect::Unknown, "postgres", "commit"),
            PortError::new(PortErrorKind::Timeout, Effect::None, "postgres", "commit"),
            PortError::new(PortErrorKind::Timeout, Effect::Unknown, "redis", "commit"),
            PortError::new(PortErrorKind::Timeout, Effect::Unknown, "postgres", "load"),
        ];
        assert!(others.iter().all(|other| *other != error));
    }

    #[test]
    fn port_errors_say_what_happened_and_keep_their_cause() {
        let error = PortError::new(PortErrorKind::Timeout, Effect::Unknown, "postgres", "commit");
        assert_eq!(error.to_string(), "postgres did not answer in time at commit (it may have happened)");
        assert!(std::error::Error::source(&error).is_none());
        let caused = error.with_source(fmt::Error);
        assert!(std::error::Error::source(&caused).is_some());
        let shown = format!("{caused:?}");
        assert!(
            shown.contains("Timeout") && shown.contains("Unknown") && shown.contains("commit"),
            "{shown}"
        );
    }
}
