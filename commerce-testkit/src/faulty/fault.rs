//! What can go wrong, and where.

use std::fmt;

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// It fails without having done anything, and says so; a sleeper wakes at once.
    FailBefore,
    /// It is carried out, and its answer is lost.
    FailAfter,
    /// Its answer is lost, and it is carried out only after a later call.
    Late,
    /// It takes its time on the way there and on the way back; a clock lags.
    Delay,
    /// It is made twice, and the first answer counts; a clock shows the same time again.
    Duplicate,
    /// It is held back until another call of the port has passed.
    Reorder,
    /// The process dies in front of it.
    DieBefore,
    /// The process dies behind its effect, before the answer arrives.
    DieAfter,
}

/// Whose call it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Port {
    /// The store.
    Store,
    /// A payment gateway.
    Gateway,
    /// A message of a gateway on its way to the shop.
    Callback,
    /// A carrier.
    Carrier,
    /// A tax service.
    Tax,
    /// A provider of messages.
    Notifier,
    /// A broker.
    Publisher,
    /// Read models.
    Views,
    /// Named leases.
    Lease,
    /// A cache.
    Cache,
    /// A rate limiter.
    Limiter,
    /// Sessions.
    Sessions,
    /// The clock.
    Clock,
    /// The sleeper.
    Sleeper,
    /// New identifiers.
    Ids,
}

impl Fault {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::FailBefore,
        Self::FailAfter,
        Self::Late,
        Self::Delay,
        Self::Duplicate,
        Self::Reorder,
        Self::DieBefore,
        Self::DieAfter,
    ];

    /// Its name in tables and traces.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FailBefore => "fail before",
            Self::FailAfter => "fail after",
            Self::Late => "late",
            Self::Delay => "delay",
            Self::Duplicate => "duplicate",
            Self::Reorder => "reorder",
            Self::DieBefore => "die before",
            Self::DieAfter => "die after",
        }
    }
}

impl Port {
    /// Every port.
    pub const ALL: [Self; 15] = [
        Self::Store,
        Self::Gateway,
        Self::Callback,
        Self::Carrier,
        Self::Tax,
        Self::Notifier,
        Self::Publisher,
        Self::Views,
        Self::Lease,
        Self::Cache,
        Self::Limiter,
        Self::Sessions,
        Self::Clock,
        Self::Sleeper,
        Self::Ids,
    ];

    /// What can go wrong with it.
    ///
    /// Only what its contract allows: a clock has no errors, an identifier is never given twice, and a
    /// gateway that has said that it does not know a key does not act on it later.
    pub const fn faults(self) -> &'static [Fault] {
        use Fault::{Delay, DieAfter, DieBefore, Duplicate, FailAfter, FailBefore, Late, Reorder};
        match self {
            Self::Store => &[FailBefore, FailAfter, Late, Delay, Duplicate, Reorder, DieBefore, DieAfter],
            Self::Gateway
            | Self::Callback
            | Self::Carrier
            | Self::Tax
            | Self::Notifier
            | Self::Publisher
            | Self::Views
            | Self::Lease
            | Self::Cache
            | Self::Limiter
            | Self::Sessions => &[FailBefore, FailAfter, Delay, Duplicate, Reorder, DieBefore, DieAfter],
            Self::Clock => &[Delay, Duplicate],
            Self::Sleeper => &[FailBefore, Delay, DieBefore],
            Self::Ids => &[Duplicate, Reorder],
        }
    }

    /// Its name in tables and traces.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Gateway => "gateway",
            Self::Callback => "callback",
            Self::Carrier => "carrier",
            Self::Tax => "tax",
            Self::Notifier => "notifier",
            Self::Publisher => "publisher",
            Self::Views => "views",
            Self::Lease => "lease",
            Self::Cache => "cache",
            Self::Limiter => "limiter",
            Self::Sessions => "sessions",
            Self::Clock => "clock",
            Self::Sleeper => "sleeper",
            Self::Ids => "ids",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
