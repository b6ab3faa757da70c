//! The identity of a stream and the versions of its events.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU16;

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

/// One of several parts into which all streams are divided, so that several readers share the log.
///
/// Every stream is in exactly one slice of a division, and all of its events with it. The part follows from
/// the last two bytes of the stream's id, read as a number with the high byte first, modulo the number of
/// parts; every store divides in this way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slice {
    index: u16,
    of: NonZeroU16,
}

/// There is no such slice: parts are counted from zero, and there is at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no part {index} of {of}")]
pub struct InvalidSlice {
    /// The part that was asked for.
    pub index: u16,
    /// Into how many.
    pub of: u16,
}

impl Slice {
    /// All streams.
    pub const ALL: Self = Self { index: 0, of: NonZeroU16::MIN };

    /// The part with this number, from zero, of a division into `of`.
    ///
    /// # Errors
    ///
    /// [`InvalidSlice`] where `of` is zero or `index` is not below it.
    pub fn new(index: u16, of: u16) -> Result<Self, InvalidSlice> {
        match NonZeroU16::new(of) {
            Some(parts) if index < of => Ok(Self { index, of: parts }),
            _ => Err(InvalidSlice { index, of }),
        }
    }

    /// All parts of a division, in order.
    pub fn parts(of: NonZeroU16) -> impl Iterator<Item = Self> + Clone {
        (0..of.get()).map(move |index| Self { index, of })
    }

    /// The number of the part, from zero.
    pub const fn index(self) -> u16 {
        self.index
    }

    /// Into how many parts the streams are divided.
    pub const fn of(self) -> u16 {
        self.of.get()
    }

    /// Whether the stream with this id is in it.
    pub fn contains(self, stream: Uuid) -> bool {
        let [.., high, low] = *stream.as_bytes();
        u16::from_be_bytes([high, low]) % self.of == self.index
    }
}

/// `0/4`.
impl fmt::Display for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_in_one_part_of_every_division() {
        for of in 1..9_u16 {
            for number in 0..1000_u128 {
                let stream = Uuid::from_u128(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
                let parts = (0..of).filter(|index| Slice::new(*index, of).unwrap().contains(stream));
                assert_eq!(parts.count(), 1);
            }
        }
        let part = Slice::new(2, 5).unwrap();
        assert_eq!((part.index(), part.of(), part.to_string()), (2, 5, "2/5".to_owned()));
        assert!(Slice::ALL.contains(Uuid::nil()));
        assert!(Slice::new(1, 3).unwrap().contains(Uuid::from_u128(0xffff_0004)), "the last two bytes count");
        assert_eq!(Slice::new(2, 2), Err(InvalidSlice { index: 2, of: 2 }));
        assert_eq!(Slice::new(0, 0), Err(InvalidSlice { index: 0, of: 0 }));
    }

    #[test]
    fn positions_order_by_their_pair() {
        assert!(Position::from_parts(1, 9) < Position::from_parts(2, 0));
        assert!(Position::START < Position::from_parts(0, 1));
    }
}
