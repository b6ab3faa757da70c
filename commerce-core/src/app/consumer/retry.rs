//! Blocked streams: tried again when they are due, and followed to their end before the consumer goes on.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::page::Handled;
use super::{ConsumerError, ConsumerRound, ConsumerRunner, FailureKind, Suspects};
use crate::app::reading::Ask;
use crate::kernel::aggregate::{Aggregate, Instance};
use crate::kernel::commit::{DirectoryQuery, Expect, Load, MAX_DIRECTORY};
use crate::kernel::error::CommitError;
use crate::messaging::{Backlog, BacklogCommand};
use crate::port::store::MAX_PAGE;
use crate::value::id::Id;

/// How many backlogs are read at once.
const CHUNK: usize = 100;

impl ConsumerRunner {
    /// Goes on with every blocked stream of the slice that is due.
    pub(super) async fn retry_due(
        &self,
        suspects: &mut Suspects,
        round: &mut ConsumerRound,
    ) -> Result<(), ConsumerError> {
        let load = Load { directory: vec![self.all_blocked()], ..Load::default() };
        let loaded = self.shop.store().load(load).await?;
        let backlogs = loaded.directory.into_iter().flatten();
        let backlogs = backlogs.filter_map(|(_, owner)| Id::from_uuid(owner.id).ok()).collect();
        self.retry(backlogs, suspects, round).await
    }

    /// The streams that the consumer cannot go on with, of all slices, at most `limit` and [`MAX_DIRECTORY`]:
    /// which message failed, why, how often, and when it is tried again.
    ///
    /// # Errors
    ///
    /// [`ConsumerError`].
    pub async fn blocked(&self, limit: u32) -> Result<Vec<Arc<Instance<Backlog>>>, ConsumerError> {
        self.listed(DirectoryQuery { limit: limit.min(MAX_DIRECTORY), ..self.all_blocked() }).await
    }

    /// What holds the keys of a directory.
    pub(super) async fn listed<A: Aggregate>(
        &self,
        query: DirectoryQuery,
    ) -> Result<Vec<Arc<Instance<A>>>, ConsumerError> {
        let load = Load { directory: vec![query], ..Load::default() };
        let loaded = self.shop.store().load(load).await?;
        let mut listed = Vec::new();
        for (_, owner) in loaded.directory.into_iter().flatten() {
            let Ok(id) = Id::from_uuid(owner.id) else { continue };
            listed.push(self.shop.read::<A>(id).await?);
        }
        Ok(listed)
    }

    /// Asks for the streams that the consumer cannot go on with.
    pub(in crate::app) fn all_blocked(&self) -> DirectoryQuery {
        let scope = Backlog::scope_of(&self.reader).into();
        DirectoryQuery { scope, prefix: "".into(), limit: MAX_DIRECTORY }
    }

    /// Goes on with those of these streams that are of the slice and due.
    pub(in crate::app) async fn retry(
        &self,
        mut backlogs: Vec<Id<Backlog>>,
        suspects: &mut Suspects,
        round: &mut ConsumerRound,
    ) -> Result<(), ConsumerError> {
        if backlogs.is_empty() {
            return Ok(());
        }
        let first = self.rotation.fetch_add(1, Ordering::Relaxed) % backlogs.len();
        backlogs.rotate_left(first);
        for chunk in backlogs.chunks(CHUNK) {
            for backlog in self.due_of(chunk).await? {
                self.follow(backlog, suspects, round).await?;
                if suspects.are_many() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn due_of(&self, ids: &[Id<Backlog>]) -> Result<Vec<Instance<Backlog>>, ConsumerError> {
        let known: Vec<_> = ids.iter().map(|id| self.shop.shared.cache.peek::<Backlog>(*id)).collect();
        let mut ask = Ask::default();
        for instance in &known {
            ask.stream(instance);
        }
        let answer = self.shop.ask(ask).await?;
        let now = self.shop.now();
        let mut due = Vec::new();
        for instance in known {
            let instance = answer.fold_shared(instance)?;
            self.shop.shared.cache.keep(&instance);
            let is_due = instance.state.as_ref().is_some_and(|known| {
                let waits = known.failed().and_then(|failed| failed.retry_at);
                self.slice.contains(known.stream().id) && waits.is_none_or(|retry_at| now >= retry_at)
            });
            if is_due {
                due.push(Arc::unwrap_or_clone(instance));
            }
        }
        Ok(due)
    }

    /// Handles what stands behind the last handled version, until it fails again or nothing is left.
    async fn follow(
        &self,
        mut backlog: Instance<Backlog>,
        suspects: &mut Suspects,
        round: &mut ConsumerRound,
    ) -> Result<(), ConsumerError> {
        while let Some(known) = backlog.state.clone().filter(Backlog::is_blocked) {
            let (stream, handled) = (known.stream().clone(), known.handled());
            let page = self.shop.store().read_stream(&stream, handled, MAX_PAGE).await?;
            if page.is_empty() {
                let mut batch = self.batch();
                let cleared = Backlog::decide(backlog.state.as_ref(), BacklogCommand::Clear, batch.now())?;
                batch.append(&mut backlog, &cleared)?;
                // Nothing may have come since: it would have been left to this backlog.
                batch.commit_mut().expect.push(Expect { stream, version: handled });
                match self.write(batch.into_commit()).await {
                    Ok(_) => return Ok(()),
                    Err(CommitError::Stale { .. }) => {
                        backlog = Instance::clone(&*self.shop.read::<Backlog>(backlog.id).await?);
                        continue;
                    }
                    Err(error) => return Err(ConsumerError::Commit(error)),
                }
            }
            for recorded in page {
                let mut batch = self.batch();
                let advance = BacklogCommand::Advance { version: recorded.version };
                let advanced = Backlog::decide(backlog.state.as_ref(), advance, batch.now())?;
                batch.append(&mut backlog, &advanced)?;
                let with = batch.into_commit();
                if !self.consumer.wants(&recorded) {
                    self.write(with).await.map_err(ConsumerError::Commit)?;
                    continue;
                }
                match self.handle(&recorded, Some(&with)).await? {
                    Handled::Done => {
                        round.handled = round.handled.saturating_add(1);
                        self.convict(suspects, round).await?;
                    }
                    Handled::Failed(failure) if failure.kind == FailureKind::Outage => {
                        suspects.add(&recorded, failure);
                        return Ok(());
                    }
                    Handled::Failed(failure) => return self.block(&recorded, failure, round).await,
                }
            }
        }
        Ok(())
    }
}
