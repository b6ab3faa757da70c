//! A relay at work: alone, or taking turns with others.

use std::future::Future;
use std::num::{NonZeroU16, NonZeroUsize};
use std::sync::{Arc, Mutex};

use super::page::Ahead;
use super::{Profile, Relay};
use crate::app::consumer::{ConsumerError, ConsumerRound, ConsumerRunner, Lag, Suspects, turned};
use crate::app::observing::Runner;
use crate::kernel::aggregate::Instance;
use crate::kernel::event::EventId;
use crate::kernel::stream::Slice;
use crate::messaging::{Backlog, DeadLetter, Reader};
use crate::port::lease::Lease;
use crate::port::publisher::MAX_BATCH;
use crate::resilience::Backoff;

/// A relay at work on a slice of the log.
#[derive(Debug, Clone)]
pub struct RelayRunner {
    pub(super) reading: ConsumerRunner,
    pub(super) relay: Relay,
    pub(super) batch: usize,
    /// The page behind the one that is being published.
    pub(super) ahead: Arc<Mutex<Option<Ahead>>>,
}

impl RelayRunner {
    pub(super) fn new(mut reading: ConsumerRunner, relay: Relay) -> Self {
        reading.runner = Runner::Relay;
        Self { reading, relay, batch: MAX_BATCH, ahead: Arc::default() }
    }

    fn reading(self, change: impl FnOnce(ConsumerRunner) -> ConsumerRunner) -> Self {
        Self { reading: change(self.reading), ahead: Arc::default(), ..self }
    }

    /// Hands at most so many messages over at once, where the broker wants fewer than [`MAX_BATCH`].
    #[must_use]
    pub fn in_batches_of(mut self, messages: NonZeroUsize) -> Self {
        self.batch = messages.get().min(MAX_BATCH);
        self
    }

    /// In the dialect of another program: names, topics, keys and payloads. What it has no message for is left
    /// out.
    #[must_use]
    pub fn speaking(mut self, profile: Profile) -> Self {
        self.relay.profile = profile;
        let relay = Arc::new(self.relay.clone());
        self.reading(|reading| reading.serving(relay))
    }

    /// Only the streams of one slice. Two relays of one slice at the same time publish twice; where several
    /// machines are to share the work, let them [take turns](Self::run_shared).
    #[must_use]
    pub fn within(self, slice: Slice) -> Self {
        self.reading(|reading| reading.within(slice))
    }

    /// How often, and after which pauses, a message that the broker refuses is tried again: by default three
    /// times, after 1 s, 2 s and 4 s.
    #[must_use]
    pub fn with_backoff(self, backoff: Backoff) -> Self {
        self.reading(|reading| reading.with_backoff(backoff))
    }

    /// Goes through everything anew, in a generation of its own. A replay publishes nothing.
    #[must_use]
    pub fn replaying(self, generation: u32) -> Self {
        self.reading(|reading| reading.replaying(generation))
    }

    /// Who reads.
    pub const fn reader(&self) -> &Reader {
        self.reading.reader()
    }

    /// Goes on with blocked streams that are due, then publishes one page of the log.
    ///
    /// # Errors
    ///
    /// [`ConsumerError`]; the next round goes on.
    pub async fn round(&self) -> Result<ConsumerRound, ConsumerError> {
        self.reading.span().around(self.one_round()).await
    }

    async fn one_round(&self) -> Result<ConsumerRound, ConsumerError> {
        let mut round = ConsumerRound::default();
        let mut suspects = Suspects::default();
        let state = self.state().await?;
        self.reading.retry(state.backlogs.clone(), &mut suspects, &mut round).await?;
        self.publish_page(state, &mut suspects, &mut round).await?;
        Ok(round)
    }

    /// Makes rounds until `stop` is ready; the round under way is finished first.
    pub async fn run(&self, stop: impl Future<Output = ()> + Send) {
        self.reading.repeat(stop, || async { turned(&self.round().await) }).await;
    }

    /// Makes rounds until `stop` is ready, taking turns with as many machines as there are: the log is
    /// divided into `of` slices, and each is published under a lease that the store checks.
    ///
    /// `of` is the most machines that can work at once. It never changes for a relay: progress is kept for
    /// each slice of the division.
    pub async fn run_shared(
        &self,
        lease: Arc<dyn Lease>,
        of: NonZeroU16,
        stop: impl Future<Output = ()> + Send,
    ) {
        let work = |slice, fence| {
            let runner = self.clone();
            // The page ahead is of the slice that was held: it is known by where it begins, and by its slice.
            let runner = Self { reading: runner.reading.under(slice, fence), ..runner };
            async move { turned(&runner.round().await) }
        };
        self.reading.shop.take_turns((self.reader(), of), &*lease, stop, work).await;
    }

    /// The streams that wait for a message which the broker did not take, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`ConsumerError`].
    pub async fn blocked(&self, limit: u32) -> Result<Vec<Arc<Instance<Backlog>>>, ConsumerError> {
        self.reading.blocked(limit).await
    }

    /// The messages that the broker did not take, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`ConsumerError`].
    pub async fn dead_letters(&self, limit: u32) -> Result<Vec<Arc<Instance<DeadLetter>>>, ConsumerError> {
        self.reading.dead_letters(limit).await
    }

    /// Hands a dead letter to the broker again. What stands behind it in its stream was published long since.
    ///
    /// # Errors
    ///
    /// [`ConsumerError::Failed`] where the broker refuses it again, which the letter keeps.
    pub async fn redeliver(&self, event: EventId) -> Result<(), ConsumerError> {
        self.reading.redeliver(event).await
    }

    /// How many events of its slice the relay has not published.
    ///
    /// # Errors
    ///
    /// [`ConsumerError`].
    pub async fn lag(&self) -> Result<Lag, ConsumerError> {
        self.reading.lag().await
    }
}
