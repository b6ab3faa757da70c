//! The identity of a stream and the versions of its events.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A short name that is usually a constant: an aggregate, an event, a scope.
pub type Label = Cow<'static, str>;

/// Names one stream: the kind of its aggregate and the aggregate's id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StreamId {
    /// The aggregate's name, for example `order`.
    pub kind: Label,
    /// The aggregate's id.
    pub id: Uuid,
}

impl StreamId {
    /// Names the stream of the aggregate `kind` with this id.
    pub fn new(kind: impl Into<Label>, id: Uuid) -> Self {
        Self { kind: kind.into(), id }
    }
}

/// `order:0190…`.
impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.id)
    }
}

/// The number of events in a stream, which is the version of its last event; a stream that does not
/// exist is at [`Version::NONE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(u64);

impl Version {
    /// The version of a stream without events.
    pub const NONE: Self = Self(0);

    /// The version with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The version after `count` more events.
    pub const fn after(self, count: usize) -> Self {
        Self(self.0.saturating_add(count as u64))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A place in the event log of a store, opaque but ordered.
///
/// A store that numbers its events uses the low half; one whose order needs a pair (`a relational store`:
/// transaction, then sequence) uses both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Position {
    high: u64,
    low: u64,
}

impl Position {
    /// Before the first event.
    pub const START: Self = Self { high: 0, low: 0 };

    /// Built by a store.
    pub const fn from_parts(high: u64, low: u64) -> Self {
        Self { high, low }
    }

    /// Read by the store that built it.
    pub const fn parts(self) -> (u64, u64) {
        (self.high, self.low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_order_by_their_pair() {
        assert!(Position::from_parts(1, 9) < Position::from_parts(2, 0));
        assert!(Position::START < Position::from_parts(0, 1));
    }
}
