//! One page of the log: handled in order, stream by stream.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{ConsumerError, ConsumerFailure, ConsumerRound, ConsumerRunner, Delivery, FailureKind, Suspects};
use crate::app::commerce::Commerce;
use crate::app::commit::MAX_ATTEMPTS;
use crate::app::observing::span::Span;
use crate::kernel::aggregate::{Aggregate, Instance};
use crate::kernel::batch::Batch;
use crate::kernel::commit::{Commit, Load, Receipt};
use crate::kernel::error::{CommitError, Effect, PortError, PortErrorKind};
use crate::kernel::event::RecordedEvent;
use crate::kernel::mark::{Fingerprint, Mark, MarkKey};
use crate::kernel::stream::{Position, StreamId};
use crate::messaging::{
    Backlog, BacklogCommand, ConsumerProgress, DeadLetter, DeadLetterCommand, MessageRef, ProgressCommand,
};
use crate::port::store::{LogQuery, Page};
use crate::value::Reason;

/// How many events are read at a time: their marks are asked for in one load.
const PAGE: u32 = 200;

/// What came of a message.
#[derive(Debug)]
pub(in crate::app) enum Handled {
    /// It was handled, now or before.
    Done,
    /// It was not.
    Failed(ConsumerFailure),
}

impl ConsumerRunner {
    pub(super) async fn read_page(
        &self,
        suspects: &mut Suspects,
        round: &mut ConsumerRound,
    ) -> Result<(), ConsumerError> {
        let progress = self.progress().await?;
        let after = progress.state.as_ref().map_or(Position::START, ConsumerProgress::position);
        let page = self.next_page(after, PAGE).await?;
        round.end = page.events.is_empty();
        let wanted: Vec<&Arc<RecordedEvent>> =
            page.events.iter().filter(|recorded| self.consumer.wants(recorded)).collect();
        if !wanted.is_empty() {
            let (done, mut blocked) = self.known(&wanted).await?;
            for (recorded, done) in wanted.iter().zip(done) {
                if done || blocked.contains(&recorded.stream) {
                    continue;
                }
                match self.handle(recorded, None).await? {
                    Handled::Done => {
                        round.handled = round.handled.saturating_add(1);
                        self.convict(suspects, round).await?;
                        continue;
                    }
                    Handled::Failed(failure) if failure.kind == FailureKind::Outage => {
                        suspects.add(recorded, failure);
                        if suspects.are_many() {
                            break;
                        }
                    }
                    Handled::Failed(failure) => self.block(recorded, failure, round).await?,
                }
                blocked.insert(recorded.stream.clone());
            }
        }
        round.outage = suspects.are_there();
        if !round.outage {
            self.followed(&page);
        }
        // What was handled of a page that was not finished is marked.
        if round.end || round.outage { Ok(()) } else { self.advance(progress, page.next).await }
    }

    /// Signals how far it is behind, having gone through a page.
    pub(in crate::app) fn followed(&self, page: &Page) {
        self.shop.signal(|| {
            let behind = self.shop.behind(page.events.last().map(|last| &**last));
            self.runner.lag(&self.reader, self.slice, behind)
        });
    }

    /// The next page with anything but progress in it. Progress alone is no reason to write progress: two
    /// consumers would keep each other awake.
    pub(in crate::app) async fn next_page(&self, mut after: Position, limit: u32) -> Result<Page, PortError> {
        loop {
            let query = LogQuery::after(after, limit).within(self.slice);
            let mut page = self.shop.store().read_all(query).await?;
            let end = page.events.is_empty();
            page.events.retain(|recorded| recorded.stream.kind != ConsumerProgress::NAME);
            if end || !page.events.is_empty() {
                return Ok(page);
            }
            after = page.next;
        }
    }

    pub(super) async fn progress(&self) -> Result<Instance<ConsumerProgress>, ConsumerError> {
        let id = ConsumerProgress::id_of(&self.reader, self.slice);
        Ok(Instance::clone(&*self.shop.read::<ConsumerProgress>(id).await?))
    }

    /// Which of these were handled before, and which of their streams are blocked.
    async fn known(
        &self,
        wanted: &[&Arc<RecordedEvent>],
    ) -> Result<(Vec<bool>, BTreeSet<StreamId>), ConsumerError> {
        let streams: BTreeSet<&StreamId> = wanted.iter().map(|recorded| &recorded.stream).collect();
        let load = Load {
            marks: wanted.iter().map(|recorded| self.mark_key(recorded)).collect(),
            by_claim: streams.iter().map(|stream| Backlog::key_of(&self.reader, stream)).collect(),
            ..Load::default()
        };
        let loaded = self.shop.store().load(load).await?;
        let done = loaded.marks.iter().map(Option::is_some).collect();
        let blocked = streams.into_iter().zip(&loaded.by_claim).filter(|(_, owner)| owner.is_some());
        Ok((done, blocked.map(|(stream, _)| stream.clone()).collect()))
    }

    /// The streams of a page that are blocked.
    pub(in crate::app) async fn held(&self, page: &Page) -> Result<BTreeSet<StreamId>, PortError> {
        let streams: BTreeSet<&StreamId> = page.events.iter().map(|recorded| &recorded.stream).collect();
        let by_claim = streams.iter().map(|stream| Backlog::key_of(&self.reader, stream)).collect();
        let loaded = self.shop.store().load(Load { by_claim, ..Load::default() }).await?;
        let held = streams.into_iter().zip(loaded.by_claim).filter(|(_, owner)| owner.is_some());
        Ok(held.map(|(stream, _)| stream.clone()).collect())
    }

    pub(in crate::app) async fn advance(
        &self,
        mut progress: Instance<ConsumerProgress>,
        position: Position,
    ) -> Result<(), ConsumerError> {
        let mut batch = self.batch();
        let events = ConsumerProgress::decide(
            progress.state.as_ref(),
            ProgressCommand::Advance { position },
            batch.now(),
        );
        let Ok(events) = events;
        if events.is_empty() {
            return Ok(());
        }
        batch.append(&mut progress, &events)?;
        match self.write(batch.into_commit()).await {
            // Somebody else runs this consumer and was faster: what it did is marked.
            Ok(_) | Err(CommitError::Stale { .. }) => Ok(()),
            Err(error) => Err(ConsumerError::Commit(error)),
        }
    }

    fn mark_key(&self, recorded: &RecordedEvent) -> MarkKey {
        MarkKey::new(format!("consumer:{}", self.reader), recorded.event.id.to_string())
    }

    fn mark(&self, recorded: &RecordedEvent) -> Mark {
        let result = Arc::from(&b"{}"[..]);
        Mark { key: self.mark_key(recorded), fingerprint: Fingerprint::of(1, b""), result }
    }

    /// Commits under the lease of the slice, where there is one.
    pub(in crate::app) async fn write(&self, mut commit: Commit) -> Result<Receipt, CommitError> {
        commit.fence.clone_from(&self.fence);
        self.shop.commit_resolved(commit).await
    }

    pub(in crate::app) fn batch(&self) -> Batch<'_> {
        let metadata = Commerce::system_metadata(self.shop.ids().next(self.shop.now()));
        Batch::new(self.shop.ids(), self.shop.now(), metadata)
    }

    /// Hands a message to the consumer and commits what it wants written, with the mark and what else
    /// belongs to it. Handed over again where the commit met something newer.
    pub(in crate::app) async fn handle(
        &self,
        recorded: &RecordedEvent,
        with: Option<&Commit>,
    ) -> Result<Handled, ConsumerError> {
        let shop =
            self.shop.with_correlation(recorded.event.metadata.correlation, Some(recorded.event.id.uuid()));
        for attempt in 1..=MAX_ATTEMPTS {
            let replay = self.reader.generation > 0;
            let delivery = Delivery { event: recorded, replay, shop: &shop };
            let span = Span::message(&self.reader, recorded);
            let mut commit = match span.around(self.consumer.handle(delivery)).await {
                Ok(commit) => commit,
                Err(failure) => return Ok(Handled::Failed(failure)),
            };
            commit.mark = Some(self.mark(recorded));
            if let Some(with) = with {
                commit.append.extend(with.append.iter().cloned());
                commit.expect.extend(with.expect.iter().cloned());
                commit.claim.extend(with.claim.iter().cloned());
                commit.release.extend(with.release.iter().cloned());
                commit.timers.extend(with.timers.iter().cloned());
            }
            match self.write(commit).await {
                Ok(_) => return Ok(Handled::Done),
                // Handled before, by somebody who died before the bookkeeping, or at the same time.
                Err(CommitError::AlreadyHandled(_)) => {
                    if let Some(with) = with {
                        self.write(with.clone()).await.map_err(ConsumerError::Commit)?;
                    }
                    return Ok(Handled::Done);
                }
                // Somebody else is at the same backlog or letter.
                Err(stale @ CommitError::Stale { .. }) if concerns(&stale, with) => {
                    return Err(ConsumerError::Commit(stale));
                }
                Err(CommitError::Stale { .. }) => self.shop.pause(attempt).await,
                Err(CommitError::Port(error)) => return Err(error.into()),
                // Another machine works on the slice now.
                Err(fenced @ CommitError::Fenced(_)) => return Err(ConsumerError::Commit(fenced)),
                Err(refused) => return Ok(Handled::Failed(ConsumerFailure::because(&refused))),
            }
        }
        let reason = Reason::lossy("others were faster every time");
        Ok(Handled::Failed(ConsumerFailure::transient(reason)))
    }

    /// Keeps the stream from going on, or puts the message aside where it was tried often enough.
    pub(in crate::app) async fn block(
        &self,
        recorded: &RecordedEvent,
        failure: ConsumerFailure,
        round: &mut ConsumerRound,
    ) -> Result<(), ConsumerError> {
        let message = MessageRef::of(recorded).ok_or_else(|| defect("block"))?;
        let id = Backlog::id_of(&self.reader, &recorded.stream);
        let known = self.shop.read::<Backlog>(id).await?;
        let mut backlog = Instance::clone(&known);
        let mut batch = self.batch();
        let failed = backlog.state.as_ref().filter(|known| known.is_blocked()).and_then(Backlog::failed);
        let attempts = failed.map_or(0, |failed| failed.attempts);
        // The last bytes of an id are random.
        let (_, seed) = recorded.event.id.uuid().as_u64_pair();
        let pause = self
            .backoff
            .pause(attempts.saturating_add(1), seed)
            .filter(|_| failure.kind != FailureKind::Permanent);
        let fail = BacklogCommand::Fail {
            reader: self.reader.clone(),
            message,
            error: failure.reason,
            retry_at: pause.map(|pause| batch.now().plus(pause)),
        };
        let events = Backlog::decide(backlog.state.as_ref(), fail, batch.now())?;
        batch.append(&mut backlog, &events)?;
        if pause.is_none() {
            self.bury(&mut batch, recorded, &events).await?;
        }
        self.write(batch.into_commit()).await.map_err(ConsumerError::Commit)?;
        if pause.is_none() {
            self.shop.buried(&self.reader, recorded, attempts.saturating_add(1));
        }
        let count = if pause.is_some() { &mut round.failed } else { &mut round.buried };
        *count = count.saturating_add(1);
        Ok(())
    }

    async fn bury(
        &self,
        batch: &mut Batch<'_>,
        recorded: &RecordedEvent,
        events: &[crate::messaging::BacklogEvent],
    ) -> Result<(), ConsumerError> {
        let id = DeadLetter::id_of(&self.reader, recorded.event.id);
        let mut letter = Instance::clone(&*self.shop.read::<DeadLetter>(id).await?);
        for event in events {
            if let crate::messaging::BacklogEvent::Failed { reader, failed } = event {
                let bury = DeadLetterCommand::Bury { reader: reader.clone(), failed: failed.clone() };
                let buried = DeadLetter::decide(letter.state.as_ref(), bury, batch.now())?;
                batch.append(&mut letter, &buried)?;
            }
        }
        Ok(())
    }
}

/// Whether a stream of the bookkeeping is not where it was.
fn concerns(stale: &CommitError, with: Option<&Commit>) -> bool {
    let CommitError::Stale { stream, .. } = stale else { return false };
    with.is_some_and(|with| with.append.iter().any(|append| append.stream == *stream))
}

/// A name or text of the library's own making does not fit its type.
fn defect(operation: &'static str) -> PortError {
    PortError::new(PortErrorKind::Corrupt, Effect::None, "consumer", operation)
}
