//! Brokers that carry events to others.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::kernel::error::PortError;
use crate::kernel::event::EventId;

/// The most messages that are handed over at once.
pub const MAX_BATCH: usize = 500;

/// A message for a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The event's id, by which a receiver knows a message that it has had before.
    pub id: EventId,
    /// Where it is published, for example `order-events`.
    pub topic: Arc<str>,
    /// By which it is routed within the topic, for example `order.placed`.
    pub key: Arc<str>,
    /// Messages with the same text here stay in order; for example `order:0198…`.
    pub ordering: Arc<str>,
    /// The envelope, as JSON.
    pub body: Arc<[u8]>,
}

/// A batch that was not taken whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the broker took {taken} message(s), then failed")]
pub struct PublishError {
    /// How many of the batch were certainly taken, from its beginning.
    pub taken: usize,
    /// What went wrong with the next one; whether it was taken is said there.
    #[source]
    pub failed: PortError,
}

/// Carries messages to a broker.
#[async_trait]
pub trait Publisher: Debug + Send + Sync + 'static {
    /// Hands messages over, at most [`MAX_BATCH`].
    ///
    /// # Contract
    ///
    /// Success means that the broker has every message and will not lose it. Messages with the same
    /// `ordering` appear in the order in which they were handed over. *At least once*: what was handed over
    /// with an unknown effect is handed over again, under the same id. Behind the first message that fails
    /// none of the batch is taken. [`Invalid`](crate::kernel::error::PortErrorKind::Invalid) says that the
    /// broker does not take this message; every other kind, that it takes none at present.
    async fn publish(&self, batch: Vec<Outgoing>) -> Result<(), PublishError>;
}
