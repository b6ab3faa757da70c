//! What the log says removes what was made of it.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::app::consumer::{Consumer, ConsumerFailure, Delivery};
use crate::kernel::commit::Commit;
use crate::kernel::event::RecordedEvent;
use crate::messaging::ConsumerName;
use crate::port::cache::{Cache, Invalidation, Tag};
use crate::value::Reason;

type Derive = dyn Fn(&RecordedEvent) -> Vec<Invalidation> + Send + Sync;

/// A consumer of the log that removes from a cache what events have changed: also what a process that died
/// behind its commit did not remove any more.
///
/// While the cache is gone the consumer waits and nothing is put aside; afterwards it removes what it missed.
pub struct Invalidator {
    name: ConsumerName,
    cache: Arc<dyn Cache>,
    derive: Arc<Derive>,
}

impl Invalidator {
    /// Removes the entries that bear the tag of an event's stream, see [`Tag::of`].
    pub fn new(name: ConsumerName, cache: Arc<dyn Cache>) -> Self {
        let tags =
            |event: &RecordedEvent| Tag::of(&event.stream).map(Invalidation::Tag).into_iter().collect();
        Self { name, cache, derive: Arc::new(tags) }
    }

    /// Removes what follows from an event by this rule instead.
    #[must_use]
    pub fn deriving(
        mut self,
        derive: impl Fn(&RecordedEvent) -> Vec<Invalidation> + Send + Sync + 'static,
    ) -> Self {
        self.derive = Arc::new(derive);
        self
    }
}

impl fmt::Debug for Invalidator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invalidator")
            .field("name", &self.name)
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Consumer for Invalidator {
    fn name(&self) -> ConsumerName {
        self.name.clone()
    }

    fn wants(&self, event: &RecordedEvent) -> bool {
        !(self.derive)(event).is_empty()
    }

    async fn handle(&self, delivery: Delivery<'_>) -> Result<Commit, ConsumerFailure> {
        if !delivery.replay {
            for invalidation in (self.derive)(delivery.event) {
                let done = invalidation.apply(&*self.cache).await;
                done.map_err(|error| ConsumerFailure::outage(Reason::lossy(&error.to_string())))?;
            }
        }
        Ok(Commit::default())
    }
}
