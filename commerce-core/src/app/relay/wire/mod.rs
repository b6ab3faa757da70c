//! In which dialect events go out: the library's own, or that of one of the five source documents, so that a
//! consumer written against the document keeps working unchanged.
//!
//! A dialect has the document's names, topics or exchanges, routing keys, envelope and payload fields. Where
//! a document fixes none, the library's are used. An event that the document does not know has no message;
//! one that is several things to the document has several. Personal values lie beside the events and are in
//! no message of any dialect.
//!
//! Amounts are JSON numbers in the main unit with exactly the decimals of their currency, ids are UUIDs,
//! times RFC 3339 in UTC.

mod at_hand;
mod canonical;
mod draft;
mod facts;
mod json;
mod parts;
mod seed0;
mod seed1;
mod seed2;
mod seed3;
mod seed4;
mod status;
#[cfg(test)]
mod tests;

pub use at_hand::{AtHand, Need};
pub use canonical::{envelope, routing_key, topic};

use self::draft::Source;
use self::facts::Fact;
use crate::app::commerce::Commerce;
use crate::app::reading::ReadError;
use crate::kernel::codec::CodecError;
use crate::kernel::event::RecordedEvent;
use crate::port::publisher::Outgoing;

/// The dialect of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Profile {
    /// The library's own: every event, under its canonical name.
    #[default]
    Canonical,
    /// The commerce domain on a RabbitMQ topic exchange: `OrderPlaced` with the columns of its tables.
    Seed0,
    /// The layered shop on Redis Streams: `OrderPaid`, `InventoryChanged`, the hub's `OrderStatusChanged`.
    Seed1,
    /// The small event-driven shop on Kafka: `OrderCreatedEvent` in an envelope of six fields.
    Seed2,
    /// The distributed shop on Kafka: `OrderCreated`, a topic per service.
    Seed3,
    /// The shop of microservices on RabbitMQ: `OrderCreatedEvent` on `order.exchange`, bare payloads.
    Seed4,
}

/// The messages of an event cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The stored payload is no JSON.
    #[error("the payload is no JSON")]
    NoJson,
    /// The stored payload is not what its name says.
    #[error("the payload cannot be read")]
    Payload(#[from] CodecError),
    /// The stream is not called by an id.
    #[error("a stream is not called by an id")]
    NoId,
    /// Something is needed beside the event.
    #[error("missing beside the event: {0}")]
    Missing(Need),
    /// What is needed beside the event cannot be read.
    #[error("what a message needs cannot be read")]
    Read(#[from] ReadError),
}

impl WireError {
    /// Whether the event will never have messages as it is; the store may answer another time, and a newer
    /// program read what this one cannot.
    pub const fn is_permanent(&self) -> bool {
        !matches!(self, Self::Read(_) | Self::Payload(CodecError::TooNew { .. }))
    }
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Canonical, Self::Seed0, Self::Seed1, Self::Seed2, Self::Seed3, Self::Seed4];

    /// The messages of an event: none where the document has no such message, several where it is several.
    ///
    /// The first one keeps the event's id; the ids of others follow from it. Their order is fixed, and all
    /// stay in order with those of the same stream.
    ///
    /// # Errors
    ///
    /// [`WireError::Missing`] says what has to be at hand besides; the same question with it answers, or
    /// says what else.
    pub fn messages(self, recorded: &RecordedEvent, at_hand: &AtHand) -> Result<Vec<Outgoing>, WireError> {
        if self == Self::Canonical {
            return canonical::message(recorded).map(|message| vec![message]).map_err(|_| WireError::NoJson);
        }
        let (fact, source) = (Fact::of(recorded)?, Source { recorded, at_hand });
        match self {
            Self::Canonical => Ok(Vec::new()),
            Self::Seed0 => seed0::messages(&fact, source),
            Self::Seed1 => seed1::messages(&fact, source),
            Self::Seed2 => seed2::messages(&fact, source),
            Self::Seed3 => seed3::messages(&fact, source),
            Self::Seed4 => seed4::messages(&fact, source),
        }
    }

    /// The messages of an event, with what they need besides read from the shop. For staff and the system.
    ///
    /// An event of an order or a product is told with that as it was then, so that it is told the same again.
    ///
    /// # Errors
    ///
    /// [`WireError::Read`] where the shop cannot be asked, [`WireError::Missing`] where it does not know.
    pub async fn look_up(
        self,
        shop: &Commerce,
        recorded: &RecordedEvent,
    ) -> Result<Vec<Outgoing>, WireError> {
        let (mut at_hand, mut before) = (AtHand::default(), None);
        loop {
            match self.messages(recorded, &at_hand) {
                Err(WireError::Missing(need)) if before.as_ref() != Some(&need) => {
                    at_hand.find(shop, recorded, need.clone()).await?;
                    before = Some(need);
                }
                answer => return answer,
            }
        }
    }
}
