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
pub use wire::Profile;

use std::sync::Arc;

use async_trait::async_trait;

use self::wire::WireError;
use super::audit::StoreRepairs;
use super::commerce::Commerce;
use super::consumer::{Consumer, ConsumerFailure, Delivery};
use super::reading::ReadError;
use crate::identity::Denied;
use crate::kernel::aggregate::Aggregate;
use crate::kernel::commit::Commit;
use crate::kernel::error::{PortError, PortErrorKind};
use crate::kernel::event::RecordedEvent;
use crate::messaging::{Backlog, ConsumerName, ConsumerProgress, DeadLetter, Inbox};
use crate::port::publisher::{MAX_BATCH, Outgoing, Publisher};
use crate::value::Reason;

/// What the shop keeps for itself: how far readers are, and what they have trouble with.
const OWN: [&str; 5] =
    [ConsumerProgress::NAME, Backlog::NAME, DeadLetter::NAME, Inbox::NAME, StoreRepairs::NAME];

/// Publishes every event of the log.
#[derive(Debug, Clone)]
struct Relay {
    name: ConsumerName,
    publisher: Arc<dyn Publisher>,
    profile: Profile,
}

impl Relay {
    /// The messages of an event, as far as they can be made; or what it says of the event that they cannot.
    async fn messages(
        &self,
        shop: &Commerce,
        recorded: &RecordedEvent,
    ) -> Result<Result<Vec<Outgoing>, ConsumerFailure>, ReadError> {
        match self.profile.look_up(shop, recorded).await {
            Ok(messages) => Ok(Ok(messages)),
            Err(WireError::Read(error)) => Err(error),
            Err(error) if error.is_permanent() => {
                Ok(Err(ConsumerFailure::permanent(Reason::lossy(&error.to_string()))))
            }
            Err(error) => Ok(Err(ConsumerFailure::because(&error))),
        }
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
            let messages = self.messages(delivery.shop, delivery.event).await;
            let messages = messages.map_err(|error| ConsumerFailure::because(&error))??;
            for batch in messages.chunks(MAX_BATCH) {
                let published = self.publisher.publish(batch.to_vec()).await;
                published.map_err(|error| failure(&error.failed))?;
            }
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
    /// Publishes every event of the log, at least once and in the order of its stream; in the library's own
    /// dialect, unless it is [told](RelayRunner::speaking) another one. For staff and the system.
    ///
    /// # Errors
    ///
    /// [`Denied`].
    pub fn relay(&self, name: ConsumerName, publisher: impl Publisher) -> Result<RelayRunner, Denied> {
        let relay = Relay { name, publisher: Arc::new(publisher), profile: Profile::Canonical };
        Ok(RelayRunner::new(self.consumer(relay.clone())?, relay))
    }
}
