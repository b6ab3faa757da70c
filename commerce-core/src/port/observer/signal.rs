//! What there is to see.

use std::time::Duration;

use uuid::Uuid;

use crate::kernel::error::{Effect, ErrorClass, PortErrorKind};
use crate::kernel::event::{EventId, Metadata};
use crate::kernel::stream::{Slice, Version};

/// Under which ids something happens: those that its events bear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Trace {
    /// What belongs together: a request and all that follows from it.
    pub correlation: Option<Uuid>,
    /// What caused it.
    pub causation: Option<Uuid>,
}

impl From<&Metadata> for Trace {
    fn from(metadata: &Metadata) -> Self {
        Self { correlation: Some(metadata.correlation), causation: metadata.causation }
    }
}

/// What came of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was carried out.
    Done,
    /// It had been carried out before, under the same command id.
    Repeated,
    /// It was not carried out.
    Failed(ErrorClass),
}

/// What became of a step of a saga.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepOutcome {
    /// It was taken.
    Taken,
    /// It waits for the outside.
    Waits,
    /// It failed: what was started is undone from here.
    Failed,
    /// It was undone.
    Undone,
    /// An operator took it as taken.
    Skipped,
    /// An operator has it tried again.
    Retried,
}

/// What came of a call of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallOutcome {
    /// The other side did what was asked.
    Answered,
    /// The other side works and says no: a card that is declined, a recipient who does not want it.
    Declined,
    /// It failed.
    Failed(PortErrorKind, Effect),
    /// The caller went away before it ended; whether it had its effect is not known.
    Abandoned,
}

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CacheOutcome {
    /// Out of the cache.
    Hit,
    /// Out of the cache, though its span is over.
    Stale,
    /// From behind the cache.
    Loaded,
    /// The cache failed; a value comes from behind it.
    Failed,
}

/// Where a circuit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Circuit {
    /// Calls go through.
    Closed,
    /// Calls are turned away.
    Open,
    /// A few calls are let through, to see.
    HalfOpen,
}

/// How far somebody who follows the log is behind, as far as is known without asking more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Behind {
    /// Events that are left; zero at the end of the log, `None` where they were not counted.
    pub events: Option<u64>,
    /// How long ago the newest event happened that was gone through; zero at the end of the log.
    pub age: Option<Duration>,
}

/// Something that has happened. Ids, names that the program itself gives, counts and durations: no text of
/// people, no payload, no error's cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signal<'s> {
    /// A command came to its end.
    CommandHandled {
        /// Under which ids.
        trace: Trace,
        /// The kind of what it was for: an aggregate's name.
        aggregate: &'static str,
        /// Which one.
        id: Uuid,
        /// What was asked, by the action of its permission.
        command: &'static str,
        /// What came of it.
        outcome: Outcome,
        /// How many decisions were made; zero where it is not known.
        attempts: u32,
        /// How long it took, by the shop's clock.
        duration: Duration,
    },
    /// Somebody else was faster: a decision met a newer version. It is decided anew, a few times.
    CommitConflicted {
        /// Under which ids.
        trace: Trace,
        /// The kind of the stream.
        aggregate: &'s str,
        /// Which one.
        id: Uuid,
        /// What was decided on.
        expected: Version,
        /// Where it stands.
        actual: Version,
    },
    /// An adapter applied several commits in one call.
    CommitCoalesced {
        /// How many, at least two.
        commits: u32,
    },
    /// A relay went through a page, or was asked.
    RelayLag {
        /// Its name.
        reader: &'s str,
        /// Its generation.
        generation: u32,
        /// Its share of the log.
        slice: Slice,
        /// How far it is behind.
        behind: Behind,
    },
    /// A consumer of the log went through a page, or was asked.
    ConsumerLag {
        /// Its name.
        reader: &'s str,
        /// Its generation.
        generation: u32,
        /// Its share of the log.
        slice: Slice,
        /// How far it is behind.
        behind: Behind,
    },
    /// A projector went through a page, or was asked.
    ProjectionLag {
        /// The view.
        view: &'s str,
        /// Its generation.
        generation: u32,
        /// Its share of the log.
        slice: Slice,
        /// How far it is behind.
        behind: Behind,
    },
    /// A step of a saga came to something, and that is stored.
    SagaStep {
        /// Under which ids.
        trace: Trace,
        /// The kind of saga.
        saga: &'static str,
        /// Which one.
        id: Uuid,
        /// The step.
        step: &'static str,
        /// What became of it.
        outcome: StepOutcome,
    },
    /// A saga goes on by itself no more: somebody has to look at it.
    SagaParked {
        /// Under which ids.
        trace: Trace,
        /// The kind of saga.
        saga: &'static str,
        /// Which one.
        id: Uuid,
        /// Where it stands.
        step: &'static str,
    },
    /// A callback was not accepted and is kept in quarantine.
    CallbackQuarantined {
        /// Under which ids.
        trace: Trace,
        /// The gateway.
        gateway: &'s str,
        /// Why, in a word.
        reason: &'static str,
    },
    /// A circuit opened, lets probes through, or closed.
    CircuitChanged {
        /// The port it stands around.
        port: &'static str,
        /// Where it stands now.
        circuit: Circuit,
    },
    /// A call of a port came to its end.
    PortCall {
        /// The port, or who is behind it.
        port: &'static str,
        /// The operation.
        operation: &'static str,
        /// What came of it.
        outcome: CallOutcome,
        /// How long it took.
        duration: Duration,
    },
    /// A value was read through a cache, or the cache could not be asked.
    CacheRead {
        /// The service of its key, a name that the program gives.
        service: &'s str,
        /// The entity of its key, a name that the program gives.
        entity: &'s str,
        /// Where it came from.
        outcome: CacheOutcome,
    },
    /// A reader put a message aside, because it could not handle it.
    DeadLetter {
        /// Under which ids the event happened.
        trace: Trace,
        /// Who could not.
        reader: &'s str,
        /// In which generation.
        generation: u32,
        /// The event.
        event: EventId,
        /// Its name; `other` where it does not look like one.
        name: &'s str,
        /// How often it was tried.
        attempts: u32,
    },
}

macro_rules! names {
    ($($variant:ident => $name:literal),+ $(,)?) => {
        impl Signal<'_> {
            /// The names of all signals.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// Its name, for logs and counters.
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$variant { .. } => $name),+ }
            }
        }
    };
}

names! {
    CommandHandled => "command_handled",
    CommitConflicted => "commit_conflicted",
    CommitCoalesced => "commit_coalesced",
    RelayLag => "relay_lag",
    ConsumerLag => "consumer_lag",
    ProjectionLag => "projection_lag",
    SagaStep => "saga_step",
    SagaParked => "saga_parked",
    CallbackQuarantined => "callback_quarantined",
    CircuitChanged => "circuit_changed",
    PortCall => "port_call",
    CacheRead => "cache_read",
    DeadLetter => "dead_letter",
}

impl Outcome {
    /// As a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Repeated => "repeated",
            Self::Failed(ErrorClass::Refused) => "refused",
            Self::Failed(ErrorClass::Contended) => "contended",
            Self::Failed(ErrorClass::Unavailable) => "unavailable",
            Self::Failed(ErrorClass::Bug) => "bug",
        }
    }
}

impl StepOutcome {
    /// As a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Waits => "waits",
            Self::Failed => "failed",
            Self::Undone => "undone",
            Self::Skipped => "skipped",
            Self::Retried => "retried",
        }
    }
}

impl CallOutcome {
    /// As a word: `answered`, `declined`, `abandoned`, or the kind of the failure.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Declined => "declined",
            Self::Abandoned => "abandoned",
            Self::Failed(PortErrorKind::Unavailable, _) => "unavailable",
            Self::Failed(PortErrorKind::Timeout, _) => "timeout",
            Self::Failed(PortErrorKind::Invalid, _) => "invalid",
            Self::Failed(PortErrorKind::Denied, _) => "denied",
            Self::Failed(PortErrorKind::Throttled, _) => "throttled",
            Self::Failed(PortErrorKind::Corrupt, _) => "corrupt",
        }
    }

    /// Whether it may have had its effect although nobody can say so.
    pub const fn effect(self) -> &'static str {
        match self {
            Self::Answered => "done",
            Self::Declined | Self::Failed(_, Effect::None) => "none",
            Self::Failed(_, Effect::Unknown) | Self::Abandoned => "unknown",
        }
    }
}

impl CacheOutcome {
    /// As a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Stale => "stale",
            Self::Loaded => "loaded",
            Self::Failed => "failed",
        }
    }
}

impl Circuit {
    /// As a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}
