//! A message that a consumer could not handle.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::backlog::FailedMessage;
use super::message::{MessageRef, Reader};
use crate::event_types;
use crate::kernel::aggregate::{Aggregate, Command, EvolveError, Permission};
use crate::kernel::effects::Effects;
use crate::kernel::event::EventId;
use crate::value::Reason;
use crate::value::id::Id;
use crate::value::time::Timestamp;

/// How long a dead letter is kept: seven days, as the source documents say.
pub const RETENTION: Duration = Duration::from_secs(7 * 24 * 3600);
/// The name of the timer behind which it goes.
pub const PURGE: &str = "purge";

/// Where a dead letter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadLetterStatus {
    /// Put aside.
    Dead,
    /// Delivered again, and handled.
    Redelivered,
    /// Somebody said that it need not be handled.
    Discarded,
    /// Its time is over.
    Purged,
}

/// A message that a consumer could not handle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    reader: Reader,
    failed: FailedMessage,
    purge_at: Timestamp,
    status: DeadLetterStatus,
}

impl DeadLetter {
    /// The dead letter of an event for a reader.
    pub fn id_of(reader: &Reader, event: EventId) -> Id<Self> {
        reader.derive(0x90a2_a171_0000_5000_8000_0000_0000_0013, &event.to_string())
    }

    /// The scope of the keys of a reader's dead letters.
    pub fn scope_of(reader: &Reader) -> String {
        format!("dead-letter:{reader}")
    }

    /// Who could not handle it.
    pub const fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The message.
    pub const fn message(&self) -> &MessageRef {
        &self.failed.message
    }

    /// The error, the attempts, and when the first and the last were made.
    pub const fn failed(&self) -> &FailedMessage {
        &self.failed
    }

    /// From when on it may go.
    pub const fn purge_at(&self) -> Timestamp {
        self.purge_at
    }

    /// Where it stands.
    pub const fn status(&self) -> DeadLetterStatus {
        self.status
    }
}

/// Asks something of a dead letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum DeadLetterCommand {
    /// Puts a message aside.
    Bury {
        /// Who could not handle it.
        reader: Reader,
        /// What failed, and how often.
        failed: Box<FailedMessage>,
    },
    /// It was delivered again and failed again.
    Fail {
        /// Why.
        error: Reason,
    },
    /// It was delivered again and handled.
    Redeliver,
    /// It need not be handled.
    Discard {
        /// Why.
        reason: Reason,
    },
    /// Forgets it, once its time is over.
    Purge,
}

impl Command for DeadLetterCommand {
    type Target = DeadLetter;

    fn permission(&self) -> Permission {
        let action = match self {
            Self::Bury { .. } => "bury",
            Self::Fail { .. } | Self::Redeliver => "redeliver",
            Self::Discard { .. } => "discard",
            Self::Purge => "purge",
        };
        Permission::new("dead_letter", action)
    }

    fn stands_alone(&self) -> bool {
        matches!(self, Self::Discard { .. } | Self::Purge)
    }
}

/// A fact about a dead letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeadLetterEvent {
    /// It was put aside.
    Buried {
        /// Who could not handle it.
        reader: Reader,
        /// What failed, and how often.
        failed: Box<FailedMessage>,
        /// From when on it may go.
        purge_at: Timestamp,
    },
    /// It was delivered again and failed again.
    Failed {
        /// Why.
        error: Reason,
        /// When.
        at: Timestamp,
    },
    /// It was delivered again and handled.
    Redelivered {
        /// Who had not been able to.
        reader: Reader,
        /// The event.
        event: EventId,
    },
    /// It need not be handled.
    Discarded {
        /// Why.
        reason: Reason,
        /// Who could not handle it.
        reader: Reader,
        /// The event.
        event: EventId,
    },
    /// Its time is over.
    Purged {
        /// Who could not handle it.
        reader: Reader,
        /// The event.
        event: EventId,
    },
}

event_types! {
    DeadLetterEvent {
        Buried => "MessageBuried" v1,
        Failed => "DeadLetterFailed" v1,
        Redelivered => "DeadLetterRedelivered" v1,
        Discarded => "DeadLetterDiscarded" v1,
        Purged => "DeadLetterPurged" v1,
    }
}

/// A dead letter refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeadLetterError {
    /// There is none.
    #[error("there is no such dead letter")]
    NotFound,
    /// It is kept for longer.
    #[error("it is kept until {until}")]
    Kept {
        /// Until when.
        until: Timestamp,
    },
    /// It is not dead any more.
    #[error("it is {0:?} already")]
    Over(DeadLetterStatus),
}

impl Aggregate for DeadLetter {
    const NAME: &'static str = "dead_letter";
    type Root = Self;
    type Command = DeadLetterCommand;
    type Event = DeadLetterEvent;
    type Error = DeadLetterError;

    fn decide(
        state: Option<&Self>,
        command: DeadLetterCommand,
        now: Timestamp,
    ) -> Result<Vec<DeadLetterEvent>, DeadLetterError> {
        use DeadLetterCommand as C;
        use DeadLetterEvent as E;
        use DeadLetterStatus as S;
        if let C::Bury { reader, failed } = command {
            let buried = state.is_some_and(|known| known.status == S::Dead);
            let purge_at = now.plus(RETENTION);
            return Ok(if buried { Vec::new() } else { vec![E::Buried { reader, failed, purge_at }] });
        }
        let known = state.ok_or(DeadLetterError::NotFound)?;
        let (reader, event) = (known.reader.clone(), known.failed.message.event);
        match (command, known.status) {
            (C::Redeliver, S::Redelivered) | (C::Discard { .. }, S::Discarded) | (C::Purge, S::Purged) => {
                Ok(Vec::new())
            }
            (C::Purge, S::Dead) if now < known.purge_at => {
                Err(DeadLetterError::Kept { until: known.purge_at })
            }
            (C::Purge, S::Dead) => Ok(vec![E::Purged { reader, event }]),
            (C::Fail { error }, S::Dead) => Ok(vec![E::Failed { error, at: now }]),
            (C::Redeliver, S::Dead) => Ok(vec![E::Redelivered { reader, event }]),
            (C::Discard { reason }, S::Dead) => Ok(vec![E::Discarded { reason, reader, event }]),
            (_, status) => Err(DeadLetterError::Over(status)),
        }
    }

    fn evolve(state: Option<Self>, event: &DeadLetterEvent) -> Result<Self, EvolveError> {
        use DeadLetterEvent as E;
        use DeadLetterStatus as S;
        if let E::Buried { reader, failed, purge_at } = event {
            let (reader, failed, purge_at) = (reader.clone(), failed.as_ref().clone(), *purge_at);
            return Ok(Self { reader, failed, purge_at, status: S::Dead });
        }
        let mut known = state.ok_or_else(|| EvolveError::of(event))?;
        match event {
            E::Buried { .. } => {}
            E::Failed { error, at } => {
                known.failed.error = error.clone();
                known.failed.last = *at;
                known.failed.attempts = known.failed.attempts.saturating_add(1);
            }
            E::Redelivered { .. } => known.status = S::Redelivered,
            E::Discarded { .. } => known.status = S::Discarded,
            E::Purged { .. } => known.status = S::Purged,
        }
        Ok(known)
    }

    fn effects(_id: Id<Self>, event: &DeadLetterEvent) -> Effects {
        use DeadLetterEvent as E;
        match event {
            E::Buried { reader, failed, purge_at } => Effects::none()
                .claim(Self::scope_of(reader), failed.message.event.to_string())
                .timer(PURGE, *purge_at),
            E::Failed { .. } => Effects::none(),
            E::Redelivered { reader, event }
            | E::Discarded { reader, event, .. }
            | E::Purged { reader, event } => {
                Effects::none().release(Self::scope_of(reader), event.to_string()).cancel_timer(PURGE)
            }
        }
    }
}
