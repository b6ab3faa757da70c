//! A stream that a consumer cannot go on with, because a message of it fails.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::message::{MessageRef, Reader};
use crate::event_types;
use crate::kernel::aggregate::{Aggregate, Command, EvolveError, Permission};
use crate::kernel::effects::Effects;
use crate::kernel::stream::{StreamId, Version};
use crate::kernel::unique::Key;
use crate::value::Reason;
use crate::value::id::Id;
use crate::value::time::Timestamp;

/// A message that failed and is to be tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedMessage {
    /// Which.
    pub message: MessageRef,
    /// Why, the last time.
    pub error: Reason,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was tried first.
    pub first: Timestamp,
    /// When it was tried last.
    pub last: Timestamp,
    /// When it is tried next; `None` where it is not.
    pub retry_at: Option<Timestamp>,
}

/// A stream that a consumer cannot go on with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backlog {
    reader: Reader,
    stream: StreamId,
    /// The last version that was handled, or put aside.
    handled: Version,
    failed: Option<FailedMessage>,
    blocked: bool,
}

impl Backlog {
    /// The backlog of a reader for a stream.
    pub fn id_of(reader: &Reader, stream: &StreamId) -> Id<Self> {
        reader.derive(0x90a2_a171_0000_5000_8000_0000_0000_0012, &stream.to_string())
    }

    /// The key that a blocked stream holds.
    pub fn key_of(reader: &Reader, stream: &StreamId) -> Key {
        Key::new(Self::scope_of(reader), stream.to_string())
    }

    /// The scope of the keys of all streams that a reader is blocked for.
    pub fn scope_of(reader: &Reader) -> String {
        format!("blocked:{reader}")
    }

    /// The stream.
    pub const fn stream(&self) -> &StreamId {
        &self.stream
    }

    /// The last version that was handled, or put aside.
    pub const fn handled(&self) -> Version {
        self.handled
    }

    /// The message that failed, where one has to be tried again.
    pub const fn failed(&self) -> Option<&FailedMessage> {
        self.failed.as_ref()
    }

    /// Whether the consumer cannot go on with the stream.
    pub const fn is_blocked(&self) -> bool {
        self.blocked
    }
}

/// Asks something of a backlog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum BacklogCommand {
    /// A message failed: it blocks the stream until it is handled or put aside.
    Fail {
        /// Who reads.
        reader: Reader,
        /// Which.
        message: MessageRef,
        /// Why.
        error: Reason,
        /// When it is tried next; `None` puts it aside.
        retry_at: Option<Timestamp>,
    },
    /// A message of the blocked stream was handled.
    Advance {
        /// Its version.
        version: Version,
    },
    /// Nothing is left: the consumer goes on with the stream.
    Clear,
}

impl Command for BacklogCommand {
    type Target = Backlog;

    fn permission(&self) -> Permission {
        Permission::new("consumer_backlog", "write")
    }

    fn stands_alone(&self) -> bool {
        false
    }
}

/// A fact about a backlog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum BacklogEvent {
    /// A message failed.
    Failed {
        /// Who reads.
        reader: Reader,
        /// What failed, and how often.
        failed: Box<FailedMessage>,
    },
    /// A message of the blocked stream was handled.
    Advanced {
        /// Its version.
        version: Version,
    },
    /// The consumer goes on with the stream.
    Cleared {
        /// Who reads.
        reader: Reader,
        /// The stream.
        stream: StreamId,
    },
}

event_types! {
    BacklogEvent {
        Failed => "MessageFailed" v1,
        Advanced => "BacklogAdvanced" v1,
        Cleared => "BacklogCleared" v1,
    }
}

/// A backlog refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BacklogError {
    /// There is none.
    #[error("there is no such backlog")]
    NotFound,
    /// Messages of a stream are handled in order.
    #[error("version {next} is the next of the stream")]
    OutOfOrder {
        /// The next.
        next: Version,
    },
}

impl Aggregate for Backlog {
    const NAME: &'static str = "consumer_backlog";
    type Root = Self;
    type Command = BacklogCommand;
    type Event = BacklogEvent;
    type Error = BacklogError;

    fn decide(
        state: Option<&Self>,
        command: BacklogCommand,
        now: Timestamp,
    ) -> Result<Vec<BacklogEvent>, BacklogError> {
        let known = state.filter(|known| known.blocked);
        match command {
            BacklogCommand::Fail { reader, message, error, retry_at } => {
                if let Some(next) = known.map(|known| known.handled.after(1))
                    && message.version != next
                {
                    return Err(BacklogError::OutOfOrder { next });
                }
                let before = known.and_then(|known| known.failed.as_ref());
                let attempts = before.map_or(0, |failed| failed.attempts).saturating_add(1);
                let first = before.map_or(now, |failed| failed.first);
                let failed = FailedMessage { message, error, attempts, first, last: now, retry_at };
                Ok(vec![BacklogEvent::Failed { reader, failed: Box::new(failed) }])
            }
            BacklogCommand::Advance { version } => {
                let next = known.ok_or(BacklogError::NotFound)?.handled.after(1);
                if version != next {
                    return Err(BacklogError::OutOfOrder { next });
                }
                Ok(vec![BacklogEvent::Advanced { version }])
            }
            BacklogCommand::Clear => Ok(known.map_or_else(Vec::new, |known| {
                vec![BacklogEvent::Cleared { reader: known.reader.clone(), stream: known.stream.clone() }]
            })),
        }
    }

    fn evolve(state: Option<Self>, event: &BacklogEvent) -> Result<Self, EvolveError> {
        match (state, event) {
            (_, BacklogEvent::Failed { reader, failed }) => {
                let dead = failed.retry_at.is_none();
                let version = failed.message.version;
                Ok(Self {
                    reader: reader.clone(),
                    stream: failed.message.stream.clone(),
                    // A message that is put aside is done with, as far as the stream goes.
                    handled: if dead { version } else { Version::new(version.get().saturating_sub(1)) },
                    failed: (!dead).then(|| failed.as_ref().clone()),
                    blocked: true,
                })
            }
            (Some(known), BacklogEvent::Advanced { version }) => {
                Ok(Self { handled: *version, failed: None, ..known })
            }
            (Some(known), BacklogEvent::Cleared { .. }) => Ok(Self { failed: None, blocked: false, ..known }),
            (None, _) => Err(EvolveError::of(event)),
        }
    }

    fn effects(_id: Id<Self>, event: &BacklogEvent) -> Effects {
        let key = |reader: &Reader, stream: &StreamId| {
            (Self::scope_of(reader), Arc::<str>::from(stream.to_string()))
        };
        match event {
            BacklogEvent::Failed { reader, failed } => {
                let (scope, key) = key(reader, &failed.message.stream);
                Effects::none().claim(scope, key)
            }
            BacklogEvent::Advanced { .. } => Effects::none(),
            BacklogEvent::Cleared { reader, stream } => {
                let (scope, key) = key(reader, stream);
                Effects::none().release(scope, key)
            }
        }
    }
}
