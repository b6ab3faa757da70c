//! Where a reservation stands.

use serde::{Deserialize, Serialize};

use super::event::ReservedLine;

/// The states of a reservation and what leads from one to the next (see [`TRANSITIONS`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Status {
    /// Units are held.
    Held,
    /// Units are promised, none has left.
    Committed,
    /// Some promised units have left.
    PartiallyConsumed,
    /// Every promised unit has left or was given back, and one at least has left.
    Consumed,
    /// Everything was given back.
    Released,
    /// The hold ended by the clock.
    Expired,
}

impl Status {
    /// Whether nothing can happen any more.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Consumed | Self::Released | Self::Expired)
    }
}

/// From, command, to: the table that the documentation is made from.
pub const TRANSITIONS: &[(&str, &str, &str)] = &[
    ("–", "Hold", "Held"),
    ("Held", "Extend", "Held"),
    ("Held", "Pin", "Held"),
    ("Held", "Commit", "Committed"),
    ("Held", "Release", "Released"),
    ("Held", "Expire", "Expired"),
    ("Committed", "Consume", "PartiallyConsumed"),
    ("Committed", "Consume", "Consumed"),
    ("Committed", "ReleasePart", "Committed"),
    ("Committed", "ReleasePart", "Released"),
    ("Committed", "Release", "Released"),
    ("PartiallyConsumed", "Consume", "PartiallyConsumed"),
    ("PartiallyConsumed", "Consume", "Consumed"),
    ("PartiallyConsumed", "ReleasePart", "PartiallyConsumed"),
    ("PartiallyConsumed", "ReleasePart", "Consumed"),
    ("PartiallyConsumed", "Release", "Consumed"),
];

/// A line and what became of its units.
///
/// requested = freed from hold + committed in total; committed in total = consumed + released + open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What was asked for.
    pub reserved: ReservedLine,
    /// Units that are held.
    pub held: u32,
    /// Units whose hold was released or expired.
    pub freed: u32,
    /// Units ever promised.
    pub committed: u32,
    /// Promised units that have left.
    pub consumed: u32,
    /// Promised units that were given back.
    pub released: u32,
}

impl Line {
    /// A line of which everything is held.
    pub const fn held(reserved: ReservedLine) -> Self {
        let held = reserved.quantity.get();
        Self { reserved, held, freed: 0, committed: 0, consumed: 0, released: 0 }
    }

    /// Promised units that are still here.
    pub const fn open(&self) -> u32 {
        self.committed.saturating_sub(self.consumed).saturating_sub(self.released)
    }
}
