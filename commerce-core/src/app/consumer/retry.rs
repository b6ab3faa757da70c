//! Blocked streams: tried again when they are due, and followed to their end before the consumer goes on.

use super::page::Handled;
use super::{ConsumerError, ConsumerRound, ConsumerRunner};
use crate::kernel::aggregate::{Aggregate, Instance};
use crate::kernel::commit::{DirectoryQuery, Expect, Load, MAX_DIRECTORY};
use crate::kernel::error::CommitError;
use crate::messaging::{Backlog, BacklogCommand};
use crate::port::store::MAX_PAGE;
use crate::value::id::Id;

impl ConsumerRunner {
    /// Goes on with every blocked stream of the slice that is due.
    pub(super) async fn retry_due(&self, round: &mut ConsumerRound) -> Result<(), ConsumerError> {
        let scope = Backlog::scope_of(&self.reader).into();
        let query = DirectoryQuery { scope, prefix: "".into(), limit: MAX_DIRECTORY };
        let load = Load { directory: vec![query], ..Load::default() };
        let loaded = self.shop.store().load(load).await?;
        for (_, owner) in loaded.directory.into_iter().flatten() {
            let Ok(id) = Id::<Backlog>::from_uuid(owner.id) else { continue };
            let backlog = self.shop.read::<Backlog>(id).await?;
            let due = backlog.state.as_ref().is_some_and(|known| {
                let waits = known.failed().and_then(|failed| failed.retry_at);
                let ours = self.slice.contains(known.stream().id);
                ours && waits.is_none_or(|retry_at| self.shop.now() >= retry_at)
            });
            if due {
                self.follow(Instance::clone(&backlog), round).await?;
            }
        }
        Ok(())
    }

    /// Handles what stands behind the last handled version, until it fails again or nothing is left.
    async fn follow(
        &self,
        mut backlog: Instance<Backlog>,
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
                match self.shop.commit_resolved(batch.into_commit()).await {
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
                    self.shop.commit_resolved(with).await.map_err(ConsumerError::Commit)?;
                    continue;
                }
                match self.handle(&recorded, Some(&with)).await? {
                    Handled::Done => round.handled = round.handled.saturating_add(1),
                    Handled::Failed(failure) => return self.block(&recorded, failure, round).await,
                }
            }
        }
        Ok(())
    }
}
