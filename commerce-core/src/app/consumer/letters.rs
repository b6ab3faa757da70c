//! Dead letters: looked at, delivered again, and gone when their time is over.

use std::sync::Arc;

use super::page::Handled;
use super::{ConsumerError, ConsumerRunner, Lag};
use crate::kernel::aggregate::{Aggregate, Instance};
use crate::kernel::commit::{DirectoryQuery, MAX_DIRECTORY};
use crate::kernel::error::{CommitError, Effect, PortError, PortErrorKind};
use crate::kernel::event::EventId;
use crate::kernel::stream::{Position, Version};
use crate::messaging::dead_letter::DeadLetterError;
use crate::messaging::{ConsumerProgress, DeadLetter, DeadLetterCommand, DeadLetterStatus};

impl ConsumerRunner {
    /// The dead letters of this consumer, at most `limit` and [`MAX_DIRECTORY`], by event.
    ///
    /// # Errors
    ///
    /// [`ConsumerError`].
    pub async fn dead_letters(&self, limit: u32) -> Result<Vec<Arc<Instance<DeadLetter>>>, ConsumerError> {
        let scope = DeadLetter::scope_of(&self.reader).into();
        self.listed(DirectoryQuery { scope, prefix: "".into(), limit: limit.min(MAX_DIRECTORY) }).await
    }

    /// Delivers a dead letter again, by the path that every message takes: what the consumer writes, its
    /// mark, and the end of the letter are one commit.
    ///
    /// The rest of its stream was handled long since; a consumer that depends on the order looks at the
    /// version.
    ///
    /// # Errors
    ///
    /// [`ConsumerError::Failed`] where the consumer fails again, which the letter keeps.
    pub async fn redeliver(&self, event: EventId) -> Result<(), ConsumerError> {
        let id = DeadLetter::id_of(&self.reader, event);
        let letter = self.shop.read::<DeadLetter>(id).await?;
        let state = letter.state.as_ref().ok_or(DeadLetterError::NotFound)?;
        if state.status() == DeadLetterStatus::Redelivered {
            return Ok(());
        }
        let message = state.message();
        let before = Version::new(message.version.get().saturating_sub(1));
        let found = self.shop.store().read_stream(&message.stream, before, 1).await?;
        let missing = || PortError::new(PortErrorKind::Corrupt, Effect::None, "store", "read_stream");
        let recorded = found.first().filter(|found| found.event.id == event).ok_or_else(missing)?;
        let mut after = Instance::clone(&letter);
        let mut batch = self.batch();
        let done = DeadLetter::decide(after.state.as_ref(), DeadLetterCommand::Redeliver, batch.now())?;
        batch.append(&mut after, &done)?;
        let with = batch.into_commit();
        let failure = match self.handle(recorded, Some(&with)).await? {
            Handled::Done => return Ok(()),
            Handled::Failed(failure) => failure,
        };
        let mut again = Instance::clone(&letter);
        let mut batch = self.batch();
        let fail = DeadLetterCommand::Fail { error: failure.reason.clone() };
        let failed = DeadLetter::decide(again.state.as_ref(), fail, batch.now())?;
        batch.append(&mut again, &failed)?;
        match self.write(batch.into_commit()).await {
            Ok(_) | Err(CommitError::Stale { .. }) => Err(ConsumerError::Failed(failure)),
            Err(error) => Err(ConsumerError::Commit(error)),
        }
    }

    /// How many events of its slice the consumer has not read.
    ///
    /// # Errors
    ///
    /// [`ConsumerError`].
    pub async fn lag(&self) -> Result<Lag, ConsumerError> {
        let progress = self.progress().await?;
        let after = progress.state.as_ref().map_or(Position::START, ConsumerProgress::position);
        let lag = self.shop.lag_behind(after, self.slice).await?;
        self.shop.signal(|| self.runner.lag(&self.reader, self.slice, lag.behind()));
        Ok(lag)
    }
}
