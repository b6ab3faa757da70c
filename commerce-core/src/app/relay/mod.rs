//! From the log to a broker: a consumer whose effect is that a message was published.
//!
//! At least once and in the order of each stream: a page of the log is handed over in batches, and its one
//! checkpoint is written when the broker has them all. A message that the broker does not take blocks its own
//! stream and no other, is tried again after pauses and then put aside as a dead letter, from where it can be
//! delivered again. A broker that takes nothing at all stops the relay and is no message's fault.

mod page;
mod runner;
pub mod wire;

pub use runner::RelayRunner;

use std::sync::Arc;

use async_trait::async_trait;

use super::audit::StoreRepairs;
use super::commerce::Commerce;
use super::consumer::{Consumer, ConsumerFailure, Delivery};
use crate::identity::Denied;
use crate::kernel::aggregate::Aggregate;
use crate::kernel::commit::Commit;
use crate::kernel::error::{PortError, PortErrorKind};
use crate::kernel::event::RecordedEvent;
use crate::messaging::{Backlog, ConsumerName, ConsumerProgress, DeadLetter, Inbox};
use crate::port::publisher::{Outgoing, Publisher};
use crate::value::Reason;

/// What the shop keeps for itself: how far readers are, and what they have trouble with.
const OWN: [&str; 5] =
    [ConsumerProgress::NAME, Backlog::NAME, DeadLetter::NAME, Inbox::NAME, StoreRepairs::NAME];

/// Publishes every event of the log.
#[derive(Debug, Clone)]
pub struct Relay {
    name: ConsumerName,
    publisher: Arc<dyn Publisher>,
}

impl Relay {
    /// A relay of this name, under which its progress is kept.
    pub fn new(name: ConsumerName, publisher: impl Publisher) -> Self {
        Self { name, publisher: Arc::new(publisher) }
    }

    /// The message of an event.
    ///
    /// # Errors
    ///
    /// [`ConsumerFailure`], permanent, where the stored payload is no JSON.
    pub fn message(recorded: &RecordedEvent) -> Result<Outgoing, ConsumerFailure> {
        let body = wire::envelope(recorded)
            .map_err(|_| ConsumerFailure::permanent(Reason::lossy("the payload is no JSON")))?;
        Ok(Outgoing {
            id: recorded.event.id,
            topic: wire::topic(&recorded.stream.kind).into(),
            key: wire::routing_key(&recorded.event.name).into(),
            ordering: recorded.stream.to_string().into(),
            body: body.into(),
        })
    }
}

#[async_trait]
impl Consumer for Relay {
    fn name(&self) -> ConsumerName {
        self.name.clone()
    }

    fn wants(&self, event: &RecordedEvent) -> bool {
        !OWN.contains(&event.stream.kind.as_ref())
    }

    async fn handle(&self, delivery: Delivery<'_>) -> Result<Commit, ConsumerFailure> {
        if !delivery.replay {
            let message = Self::message(delivery.event)?;
            let published = self.publisher.publish(vec![message]).await;
            published.map_err(|error| failure(&error.failed))?;
        }
        Ok(Commit::default())
    }
}

/// What a refusal says: that the broker does not take this message, or that it takes none.
fn failure(error: &PortError) -> ConsumerFailure {
    let reason = Reason::lossy(&error.to_string());
    match error.kind {
        PortErrorKind::Invalid => ConsumerFailure::transient(reason),
        _ => ConsumerFailure::outage(reason),
    }
}

impl Commerce {
    /// Publishes every event of the log, at least once and in the order of its stream. For staff and the
    /// system.
    ///
    /// # Errors
    ///
    /// [`Denied`].
    pub fn relay(&self, name: ConsumerName, publisher: impl Publisher) -> Result<RelayRunner, Denied> {
        let relay = Relay::new(name, publisher);
        let publisher = relay.publisher.clone();
        Ok(RelayRunner::new(self.consumer(relay)?, publisher))
    }
}
