//! A checker that reads only the store and the fake gateway's own books, never the library's counters.
//!
//! [`Books`] folds the log and says what every table should hold; it reads on from where it was, so it can
//! look after every commit. [`Findings`] reads everything and adds what must hold once nothing happens any
//! more. Every rule bears the number of an invariant: see [`Rule`].

mod always;
mod books;
mod findings;
mod goods;
mod kind;
mod money;
mod pools;
mod saga;
mod settled;
mod tables;
mod watched;

use std::fmt;

pub use books::Books;
pub use findings::Findings;
pub use watched::WatchedGateway;

/// An invariant of the whole shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// I1: the amounts of an order add up; authorised ≥ captured ≥ refunded; the gateway's books are ours.
    Money,
    /// I2: nothing is sold that is not there; what is there is what came less what left.
    Stock,
    /// I3: what is reserved belongs to a checkout that lives.
    Reservations,
    /// I4: versions without gaps; every state is the fold of its events, every table that of its effects.
    Events,
    /// I5: a reader of the log sees every event of every stream, in order.
    Outbox,
    /// I6: a saga has ended, has a time at which somebody goes on, or is parked with a reason.
    Sagas,
    /// I7: no promotion is used more often than it may be.
    Coupons,
    /// I8: everything has its effect once.
    Idempotency,
    /// I9: what is unique has one owner.
    Unique,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 9] = [
        Self::Money,
        Self::Stock,
        Self::Reservations,
        Self::Events,
        Self::Outbox,
        Self::Sagas,
        Self::Coupons,
        Self::Idempotency,
        Self::Unique,
    ];

    /// Its number and name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Money => "I1 money",
            Self::Stock => "I2 stock",
            Self::Reservations => "I3 reservations",
            Self::Events => "I4 events",
            Self::Outbox => "I5 outbox",
            Self::Sagas => "I6 sagas",
            Self::Coupons => "I7 coupons",
            Self::Idempotency => "I8 idempotency",
            Self::Unique => "I9 unique",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// Which rule it breaks.
    pub rule: Rule,
    /// What was seen.
    pub what: String,
}

impl Breach {
    pub(crate) fn new(rule: Rule, what: impl Into<String>) -> Self {
        Self { rule, what: what.into() }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.what)
    }
}
