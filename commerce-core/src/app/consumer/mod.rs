//! Consumers of the log: every event once in effect, in the order of its stream.
//!
//! A consumer returns what it wants to write; that and the mark which says that the message was handled
//! are one commit. What fails blocks its own stream for this consumer, is tried again after pauses, and is
//! then put aside as a dead letter. Nothing else waits for it.

mod letters;
mod page;
mod retry;
mod suspects;

pub use super::lag::Lag;
pub(super) use page::Handled;
pub(super) use suspects::Suspects;

use std::fmt::Debug;
use std::future::Future;
use std::num::NonZeroU16;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use async_trait::async_trait;

use super::commerce::Commerce;
use super::observing::{Runner, span::Span};
use super::reading::ReadError;
use super::running::{Pace, Stop, Turned};
use crate::identity::{Denied, authorise};
use crate::kernel::aggregate::{Aggregate, Instance, Permission};
use crate::kernel::batch::Batch;
use crate::kernel::commit::{Commit, Fence};
use crate::kernel::error::{CommitError, PortError};
use crate::kernel::event::RecordedEvent;
use crate::kernel::replay::ReplayError;
use crate::kernel::stream::Slice;
use crate::messaging::backlog::BacklogError;
use crate::messaging::dead_letter::DeadLetterError;
use crate::messaging::inbox::InboxError;
use crate::messaging::{ConsumerName, Reader};
use crate::port::lease::Lease;
use crate::resilience::Backoff;
use crate::value::Reason;
use crate::value::actor::{Actor, Owner};
use crate::value::id::Id;

/// A message as it is handed to a consumer.
#[derive(Debug)]
pub struct Delivery<'d> {
    /// The event.
    pub event: &'d RecordedEvent,
    /// Whether it is delivered by a replay: nothing may be sent outside.
    pub replay: bool,
    /// The shop, acting as the system; what is read through it may be decided on.
    pub shop: &'d Commerce,
}

impl Delivery<'_> {
    /// An empty batch for what is to be written; its events name the message as their cause.
    pub fn batch(&self) -> Batch<'_> {
        Batch::new(self.shop.ids(), self.shop.now(), self.shop.metadata())
    }

    /// An aggregate as the store knows it, to be decided on.
    ///
    /// # Errors
    ///
    /// [`ConsumerFailure`], transient, where it cannot be read.
    pub async fn load<A: Aggregate>(&self, id: Id<A::Root>) -> Result<Instance<A>, ConsumerFailure> {
        let read = self.shop.read::<A>(id).await;
        read.map(|known| Instance::clone(&known)).map_err(|error| ConsumerFailure::because(&error))
    }
}

/// What a failure says of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// It may succeed another time: it is tried again after pauses, and then put aside.
    Transient,
    /// It will never succeed as it is: it is put aside at once.
    Permanent,
    /// Nothing: what the consumer needs is not there at all. The round ends, and the try is not counted.
    Outage,
}

/// A consumer cannot handle a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct ConsumerFailure {
    /// Why; kept with the message, so it holds no personal data.
    pub reason: Reason,
    /// What it says of the message.
    pub kind: FailureKind,
}

impl ConsumerFailure {
    /// May succeed another time.
    pub const fn transient(reason: Reason) -> Self {
        Self { reason, kind: FailureKind::Transient }
    }

    /// May succeed another time; the reason is what the error says of itself, cut to what is kept.
    pub fn because(error: &(dyn std::error::Error + 'static)) -> Self {
        Self::transient(Reason::lossy(&error.to_string()))
    }

    /// Will never succeed as it is.
    pub const fn permanent(reason: Reason) -> Self {
        Self { reason, kind: FailureKind::Permanent }
    }

    /// Nothing can be handled at present; the message is as good as any other.
    pub const fn outage(reason: Reason) -> Self {
        Self { reason, kind: FailureKind::Outage }
    }
}

/// Handles events of the log.
#[async_trait]
pub trait Consumer: Debug + Send + Sync + 'static {
    /// Names the consumer.
    ///
    /// # Contract
    ///
    /// Constant, and unique among the consumers of a shop: what was handled is remembered under it.
    fn name(&self) -> ConsumerName;

    /// Whether it handles this event.
    ///
    /// # Contract
    ///
    /// Follows from the event alone.
    fn wants(&self, event: &RecordedEvent) -> bool;

    /// Handles an event: gives what is to be written for it, which may be nothing.
    ///
    /// # Contract
    ///
    /// The commit bears no mark; it is committed with the mark of the message, so it happens once, in the
    /// order of the stream. Called again where the commit met something newer, or the process died before
    /// it: what is done outside the shop happens at least once, and not at all in a replay. A store that
    /// refuses the commit for good counts as a failure.
    async fn handle(&self, delivery: Delivery<'_>) -> Result<Commit, ConsumerFailure>;
}

/// What one round of a consumer has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConsumerRound {
    /// Messages that were handled.
    pub handled: u32,
    /// Messages that failed and are tried again.
    pub failed: u32,
    /// Messages that were put aside.
    pub buried: u32,
    /// Whether the end of the log was reached.
    pub end: bool,
    /// Whether it ended early, because what the consumer needs is not there.
    pub outage: bool,
}

/// A consumer cannot go on; nothing is lost, and the next round goes on where it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConsumerError {
    /// The actor may not do this.
    #[error("not permitted")]
    Denied(#[from] Denied),
    /// The store failed.
    #[error("the store failed")]
    Port(#[from] PortError),
    /// The store refuses.
    #[error("refused by the store")]
    Commit(#[source] CommitError),
    /// What is stored cannot be read.
    #[error("what is stored cannot be read")]
    Corrupt(#[from] ReplayError),
    /// The backlog refuses: somebody else runs the same consumer.
    #[error("the backlog refuses")]
    Backlog(#[from] BacklogError),
    /// The inbox refuses: somebody else reads for the same consumer.
    #[error("the inbox refuses")]
    Inbox(#[from] InboxError),
    /// The dead letter refuses.
    #[error("the dead letter refuses")]
    DeadLetter(#[from] DeadLetterError),
    /// The consumer fails again at a message that is delivered again.
    #[error("the consumer fails again")]
    Failed(#[from] ConsumerFailure),
}

impl From<ReadError> for ConsumerError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Denied(denied) => denied.into(),
            ReadError::Port(port) => port.into(),
            ReadError::Corrupt(corrupt) => corrupt.into(),
        }
    }
}

/// A consumer at work on a slice of the log.
#[derive(Debug, Clone)]
pub struct ConsumerRunner {
    pub(super) shop: Commerce,
    consumer: Arc<dyn Consumer>,
    pub(super) reader: Reader,
    pub(super) slice: Slice,
    backoff: Backoff,
    /// The lease under which everything is written.
    fence: Option<Fence>,
    /// As what it is watched.
    pub(super) runner: Runner,
    /// Where the next round begins among the blocked streams, so that none stands behind the others for ever.
    rotation: Arc<AtomicUsize>,
}

impl Commerce {
    /// Runs a consumer. For staff and the system.
    ///
    /// # Errors
    ///
    /// [`Denied`].
    pub fn consumer(&self, consumer: impl Consumer) -> Result<ConsumerRunner, Denied> {
        self.shared_consumer(Arc::new(consumer))
    }

    pub(super) fn shared_consumer(&self, consumer: Arc<dyn Consumer>) -> Result<ConsumerRunner, Denied> {
        let permission = Permission::new("consumer_progress", "advance");
        authorise(&self.request.principal, permission, Some(Owner::Shop))?;
        let reader = Reader::new(consumer.name());
        let shop = self.acting_as(Actor::System);
        Ok(ConsumerRunner {
            shop,
            consumer,
            reader,
            slice: Slice::ALL,
            backoff: Backoff::default(),
            fence: None,
            runner: Runner::Consumer,
            rotation: Arc::default(),
        })
    }
}

impl ConsumerRunner {
    /// Only the streams of one slice; runners of the other slices may run anywhere.
    #[must_use]
    pub fn within(mut self, slice: Slice) -> Self {
        self.slice = slice;
        self
    }

    /// How often, and after which pauses, a message is tried again: by default three times, after 1 s, 2 s
    /// and 4 s.
    #[must_use]
    pub fn with_backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Handles everything anew, in a generation of its own; deliveries say that they are a replay.
    #[must_use]
    pub fn replaying(mut self, generation: u32) -> Self {
        self.reader.generation = generation;
        self
    }

    /// For another consumer of the same name.
    pub(super) fn serving(mut self, consumer: Arc<dyn Consumer>) -> Self {
        self.consumer = consumer;
        self
    }

    /// Who reads.
    pub const fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Tries again what is due, then reads one page on.
    ///
    /// Several runners of one consumer and slice do no harm: marks and versions let each message take effect
    /// once; they only get in each other's way.
    ///
    /// # Errors
    ///
    /// [`ConsumerError`]; the next round goes on.
    pub async fn round(&self) -> Result<ConsumerRound, ConsumerError> {
        self.span().around(self.one_round()).await
    }

    pub(super) fn span(&self) -> Span {
        Span::round(self.runner.name(), self.reader.consumer.as_str(), self.slice)
    }

    async fn one_round(&self) -> Result<ConsumerRound, ConsumerError> {
        let mut round = ConsumerRound::default();
        let mut suspects = Suspects::default();
        self.retry_due(&mut suspects, &mut round).await?;
        self.read_page(&mut suspects, &mut round).await?;
        Ok(round)
    }

    /// Makes rounds until `stop` is ready; the round under way is finished first.
    pub async fn run(&self, stop: impl Future<Output = ()> + Send) {
        self.repeat(stop, || async { turned(&self.round().await) }).await;
    }

    /// Makes rounds until `stop` is ready, taking turns with as many machines as there are: the log is
    /// divided into `of` slices, and each is worked on under a lease that the store checks.
    ///
    /// `of` is the most machines that can work at once. It never changes for a consumer: progress is kept
    /// for each slice of the division.
    pub async fn run_shared(
        &self,
        lease: Arc<dyn Lease>,
        of: NonZeroU16,
        stop: impl Future<Output = ()> + Send,
    ) {
        let work = |slice, fence| {
            let runner = self.clone().under(slice, fence);
            async move { turned(&runner.round().await) }
        };
        self.shop.take_turns((&self.reader, of), &*lease, stop, work).await;
    }

    /// At a slice, under a lease.
    pub(super) fn under(mut self, slice: Slice, fence: Fence) -> Self {
        (self.slice, self.fence) = (slice, Some(fence));
        self
    }

    pub(super) async fn repeat<F>(&self, stop: impl Future<Output = ()> + Send, round: impl Fn() -> F + Send)
    where
        F: Future<Output = Turned> + Send,
    {
        let mut stop = pin!(stop);
        let mut stop = Stop::new(stop.as_mut());
        let mut pace = Pace::default();
        loop {
            // A round that fails is made again after a while: what it did not do is still to do.
            let pause = pace.behind(round().await);
            if stop.or_sleep(self.shop.sleeper(), self.shop.now().plus(pause)).await {
                return;
            }
        }
    }
}

/// How a round went.
pub(super) fn turned(round: &Result<ConsumerRound, ConsumerError>) -> Turned {
    match round {
        Err(_) => Turned::Failed,
        Ok(round) if round.outage => Turned::Failed,
        Ok(round) if round.end => Turned::End,
        Ok(_) => Turned::More,
    }
}
