//! Events: what happened, and the envelope it travels in.

use std::fmt::Debug;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::personal::PersonalValue;
use super::stream::{Label, Position, StreamId, Version};
use crate::value::actor::Actor;
use crate::value::id::Id;
use crate::value::time::Timestamp;

/// Marks the id of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventMarker {}

/// Identifies an event; chosen before the first attempt to store it.
pub type EventId = Id<EventMarker>;

/// One event type ever shipped: its canonical name and the schema written today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventType {
    /// The canonical name, stored and published, for example `OrderPlaced`.
    pub name: &'static str,
    /// The schema version written today, from 1.
    pub schema: u16,
    /// The variant of the Rust enum; never stored.
    pub variant: &'static str,
}

/// The events of one aggregate, as one enum.
///
/// Implement it with [`event_types!`](crate::event_types), which pairs every variant with its
/// canonical name. Names are never derived from a Rust path, so renaming a variant changes no store.
pub trait DomainEvent: Serialize + DeserializeOwned + Clone + Debug + Send + Sync + 'static {
    /// Every type of this enum.
    const TYPES: &'static [EventType];

    /// The canonical name of this event.
    fn name(&self) -> &'static str;

    /// Lifts the payload of an older schema by one version.
    ///
    /// Called once per version between the stored schema and today's.
    ///
    /// # Errors
    ///
    /// A sentence that says why the payload cannot be lifted.
    fn upcast(name: &str, schema: u16, payload: Value) -> Result<Value, String> {
        let _ = payload;
        Err(format!("no upcaster for {name} from schema {schema}"))
    }
}

/// Pairs the variants of an event enum with their canonical names and schema versions.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use commerce_core::kernel::event::DomainEvent;
///
/// #[derive(Debug, Clone, Serialize, Deserialize)]
/// enum GiftCardEvent {
///     Issued { amount: u32 },
///     Closed,
/// }
/// commerce_core::event_types! {
///     GiftCardEvent { Issued => "GiftCardIssued" v1, Closed => "GiftCardClosed" v1 }
/// }
/// assert_eq!(GiftCardEvent::Closed.name(), "GiftCardClosed");
/// ```
#[macro_export]
macro_rules! event_types {
    ($event:ty { $($variant:ident => $name:literal $schema:ident),+ $(,)? } $(upcast = $upcast:path)?) => {
        impl $crate::kernel::event::DomainEvent for $event {
            const TYPES: &'static [$crate::kernel::event::EventType] = &[$(
                $crate::kernel::event::EventType {
                    name: $name,
                    schema: $crate::kernel::event::schema_number(stringify!($schema)),
                    variant: stringify!($variant),
                }
            ),+];

            fn name(&self) -> &'static str {
                match self { $(Self::$variant { .. } => $name),+ }
            }

            $(fn upcast(
                name: &str,
                schema: u16,
                payload: $crate::kernel::event::Payload,
            ) -> Result<$crate::kernel::event::Payload, String> {
                $upcast(name, schema, payload)
            })?
        }
    };
}

/// The payload of an event as JSON, as an upcaster sees it.
pub type Payload = Value;

/// Reads `v3` as 3 at compile time; for [`event_types!`](crate::event_types) only.
#[doc(hidden)]
#[allow(clippy::indexing_slicing, clippy::panic)] // evaluated by the compiler: a wrong text does not build
pub const fn schema_number(text: &str) -> u16 {
    let bytes = text.as_bytes();
    assert!(bytes.len() > 1 && bytes[0] == b'v', "write the schema version as v1, v2, …");
    let (mut number, mut index) = (0_u16, 1);
    while index < bytes.len() {
        assert!(bytes[index].is_ascii_digit(), "write the schema version as v1, v2, …");
        number = number * 10 + (bytes[index] - b'0') as u16;
        index += 1;
    }
    assert!(number > 0, "schema versions start at v1");
    number
}

/// Who caused an event, and through what. Holds ids only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// Shared by everything that follows from one request.
    pub correlation: Uuid,
    /// The command or event that led to this one.
    pub causation: Option<Uuid>,
    /// Who gave the command.
    pub actor: Actor,
}

/// An event that is about to be stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewEvent {
    /// Chosen by the caller, so that a commit without a mark can be recognised by its first event.
    pub id: EventId,
    /// The canonical name.
    pub name: Label,
    /// The schema version of `data`.
    pub schema: u16,
    /// When it happened, by the clock of the caller.
    pub at: Timestamp,
    /// Who and why.
    pub metadata: Metadata,
    /// The payload, without personal values.
    pub data: Arc<[u8]>,
    /// The personal values of the payload, stored beside it under their data subject.
    pub personal: Vec<PersonalValue>,
}

/// An event as the store gives it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    /// Its place in the log.
    pub position: Position,
    /// Its stream.
    pub stream: StreamId,
    /// Its number within the stream, from 1.
    pub version: Version,
    /// What was stored; erased personal values come back without their content.
    pub event: NewEvent,
}
