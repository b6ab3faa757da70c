//! Reads the envelope in which a relay sends an event.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::kernel::event::{EventId, Metadata, NewEvent, RecordedEvent};
use crate::kernel::stream::{Position, StreamId, Version};
use crate::value::actor::Actor;
use crate::value::time::Timestamp;

/// A body that is not the envelope of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body is not the envelope of an event")]
pub struct NoEnvelope;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'e> {
    event_id: Uuid,
    occurred_on: String,
    event_type: String,
    aggregate_id: Uuid,
    aggregate_type: String,
    version: u64,
    schema_version: u16,
    correlation_id: Uuid,
    #[serde(default)]
    causation_id: Option<Uuid>,
    actor: Actor,
    #[serde(borrow)]
    data: &'e RawValue,
}

/// The event in an envelope, as its consumer gets it. Personal values are not on the way, and its place in
/// the sender's log is not known: it stands at [`Position::START`].
///
/// # Errors
///
/// [`NoEnvelope`].
pub fn read(body: &[u8]) -> Result<RecordedEvent, NoEnvelope> {
    let envelope: Envelope<'_> = serde_json::from_slice(body).map_err(|_| NoEnvelope)?;
    let at: Timestamp = envelope.occurred_on.parse().map_err(|_| NoEnvelope)?;
    if envelope.version == 0 {
        return Err(NoEnvelope);
    }
    Ok(RecordedEvent {
        position: Position::START,
        stream: StreamId::new(envelope.aggregate_type, envelope.aggregate_id),
        version: Version::new(envelope.version),
        event: NewEvent {
            id: EventId::from_uuid(envelope.event_id).map_err(|_| NoEnvelope)?,
            name: envelope.event_type.into(),
            schema: envelope.schema_version,
            at,
            metadata: Metadata {
                correlation: envelope.correlation_id,
                causation: envelope.causation_id,
                actor: envelope.actor,
            },
            data: Arc::from(envelope.data.get().as_bytes()),
            personal: Vec::new(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::relay::wire::envelope;

    #[test]
    fn what_a_relay_sends_is_read_whole() {
        let mut sent = RecordedEvent {
            position: Position::START,
            stream: StreamId::new("order", Uuid::from_u128(7)),
            version: Version::new(3),
            event: NewEvent {
                id: EventId::derived(Uuid::nil(), b"event"),
                name: "OrderPlaced".into(),
                schema: 2,
                at: Timestamp::from_micros(1_294_135_200_000_001).unwrap(),
                metadata: Metadata {
                    correlation: Uuid::from_u128(8),
                    causation: Some(Uuid::from_u128(9)),
                    actor: Actor::System,
                },
                data: Arc::from(&br#"{"total":1299}"#[..]),
                personal: Vec::new(),
            },
        };
        assert_eq!(read(&envelope(&sent).unwrap()), Ok(sent.clone()));
        sent.event.metadata.causation = None;
        let body = envelope(&sent).unwrap();
        assert_eq!(read(&body), Ok(sent));
        let text = String::from_utf8(body).unwrap();
        for (right, wrong) in [
            ("\"version\":3", "\"version\":0"),
            ("2011-01-04T", "yesterday"),
            ("\"data\"", "\"date\""),
            ("\"eventId\"", "\"id\""),
        ] {
            assert!(text.contains(right));
            assert_eq!(read(text.replace(right, wrong).as_bytes()), Err(NoEnvelope), "{wrong}");
        }
        assert_eq!(read(b"\xff"), Err(NoEnvelope));
    }
}
