//! Who reads, and what a message is.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kernel::event::{EventId, RecordedEvent};
use crate::kernel::stream::{StreamId, Version};
use crate::value::Code;
use crate::value::id::Id;

/// Names a consumer; stored with what it has done, so it never changes.
pub type ConsumerName = Code;

/// A consumer in one of its generations. A new generation handles everything anew: a replay.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reader {
    /// The consumer.
    pub consumer: ConsumerName,
    /// From zero.
    pub generation: u32,
}

impl Reader {
    /// The first generation of a consumer.
    pub const fn new(consumer: ConsumerName) -> Self {
        Self { consumer, generation: 0 }
    }

    /// An id that follows from the reader and a name.
    pub(super) fn derive<T>(&self, namespace: u128, name: &str) -> Id<T> {
        Id::derived(Uuid::from_u128(namespace), format!("{self}/{name}").as_bytes())
    }
}

/// `mailer.0`.
impl fmt::Display for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.consumer, self.generation)
    }
}

/// Points to a message: ids only, the message itself stays in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRef {
    /// The event.
    pub event: EventId,
    /// Its canonical name.
    pub name: Code,
    /// Its stream.
    pub stream: StreamId,
    /// Its number within the stream.
    pub version: Version,
}

impl MessageRef {
    /// Points to a stored event; `None` for a name that is too long to be a name.
    pub fn of(recorded: &RecordedEvent) -> Option<Self> {
        Some(Self {
            event: recorded.event.id,
            name: Code::new(&recorded.event.name).ok()?,
            stream: recorded.stream.clone(),
            version: recorded.version,
        })
    }
}
