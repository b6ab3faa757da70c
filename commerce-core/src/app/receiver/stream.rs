//! The messages of one stream, as far as the broker has handed them out.

use std::sync::Arc;
use std::time::Duration;

use super::{Answers, Copy, OfStream, ReceiverRound, ReceiverRunner};
use crate::app::commit::MAX_ATTEMPTS;
use crate::app::consumer::{ConsumerError, ConsumerFailure, FailureKind, Handled};
use crate::kernel::aggregate::{Aggregate, Instance};
use crate::kernel::error::CommitError;
use crate::kernel::event::RecordedEvent;
use crate::messaging::{Inbox, InboxCommand, Place};

/// How long a message that came too early waits, longer with every delivery.
const GAP: Duration = Duration::from_millis(50);
/// The longest of these pauses.
const LONGEST_GAP: Duration = Duration::from_secs(1);
/// So often a message that came too early is handed out, about a minute and a half, until those before it
/// are given up: the stream goes on, and what comes late is handled late.
const PATIENCE: u32 = 100;

impl ReceiverRunner {
    /// Handles what can be handled of a stream, in its order.
    pub(super) async fn follow(
        &self,
        mut inbox: Instance<Inbox>,
        messages: OfStream,
        answers: &mut Answers,
        round: &mut ReceiverRound,
    ) -> Result<(), ConsumerError> {
        for (recorded, copies) in messages.into_values() {
            if round.outage {
                answers.wait(copies, Duration::from_secs(1), round);
                continue;
            }
            let mut copies = Some(copies);
            for _ in 0..MAX_ATTEMPTS {
                let Some(all) = copies.take() else { break };
                match self.one(&mut inbox, &recorded, all, answers, round).await {
                    Ok(left) => copies = left,
                    // Another member was faster: what it did is seen in the next attempt. The copies come
                    // again by themselves where there is none.
                    Err((all, ConsumerError::Commit(CommitError::Stale { .. }))) => {
                        inbox = Instance::clone(&*self.reading.shop.read::<Inbox>(inbox.id).await?);
                        copies = Some(all);
                    }
                    Err((_, error)) => return Err(error),
                }
            }
            if let Some(left) = copies {
                answers.wait(left, GAP, round);
            }
        }
        self.reading.shop.shared.cache.keep(&Arc::new(inbox));
        Ok(())
    }

    /// One message; gives its copies back where it has to be looked at once more.
    async fn one(
        &self,
        inbox: &mut Instance<Inbox>,
        recorded: &Arc<RecordedEvent>,
        copies: Vec<Copy>,
        answers: &mut Answers,
        round: &mut ReceiverRound,
    ) -> Result<Option<Vec<Copy>>, (Vec<Copy>, ConsumerError)> {
        let now = self.reading.shop.now();
        let deliveries = copies.iter().map(|copy| copy.deliveries).max().unwrap_or(0);
        match Inbox::place(inbox.state.as_ref(), recorded.version, now) {
            Place::Known => {
                round.repeated = round.repeated.saturating_add(1);
                answers.done.extend(copies.into_iter().map(|copy| copy.receipt));
            }
            Place::Waits(retry_at) => answers.wait(copies, retry_at.since(now), round),
            Place::Early if deliveries < PATIENCE => {
                answers.wait(copies, GAP.saturating_mul(deliveries.max(1)).min(LONGEST_GAP), round);
            }
            Place::Early => {
                let pass_over = InboxCommand::PassOver { before: recorded.version };
                return match self.note(inbox, pass_over).await {
                    Ok(()) => Ok(Some(copies)),
                    Err(error) => Err((copies, error)),
                };
            }
            Place::Due(attempts) => {
                return self.try_once(inbox, recorded, (copies, attempts), answers, round).await;
            }
        }
        Ok(None)
    }

    async fn try_once(
        &self,
        inbox: &mut Instance<Inbox>,
        recorded: &Arc<RecordedEvent>,
        (copies, attempts): (Vec<Copy>, u32),
        answers: &mut Answers,
        round: &mut ReceiverRound,
    ) -> Result<Option<Vec<Copy>>, (Vec<Copy>, ConsumerError)> {
        let done = self.hand_over(inbox, recorded).await;
        let failure = match done {
            Ok(None) => {
                round.handled = round.handled.saturating_add(1);
                answers.done.extend(copies.into_iter().map(|copy| copy.receipt));
                return Ok(None);
            }
            Ok(Some(failure)) => failure,
            Err(error) => return Err((copies, error)),
        };
        if failure.kind == FailureKind::Outage {
            round.outage = true;
            answers.wait(copies, Duration::from_secs(1), round);
            return Ok(None);
        }
        let (_, seed) = recorded.event.id.uuid().as_u64_pair();
        let retry = attempts.saturating_add(1);
        let pause = self.backoff.pause(retry, seed).filter(|_| failure.kind != FailureKind::Permanent);
        let retry_at = pause.map(|pause| self.reading.shop.now().plus(pause));
        let (version, error) = (recorded.version, failure.reason.clone());
        if let Err(error) = self.note(inbox, InboxCommand::Fail { version, error, retry_at }).await {
            return Err((copies, error));
        }
        let now = self.reading.shop.now();
        if let Place::Waits(retry_at) = Inbox::place(inbox.state.as_ref(), version, now) {
            answers.wait(copies, retry_at.since(now), round);
            return Ok(None);
        }
        round.buried = round.buried.saturating_add(1);
        for copy in copies {
            let buried = self.subscriber.bury(copy.receipt, failure.reason.clone(), retry).await;
            buried.map_err(|error| (Vec::new(), error.into()))?;
        }
        self.reading.shop.buried(self.reader(), recorded, retry);
        Ok(None)
    }

    /// Hands a message to the consumer, and commits what it wants written with its place in the inbox; or
    /// only the place, where the consumer does not want it.
    async fn hand_over(
        &self,
        inbox: &mut Instance<Inbox>,
        recorded: &Arc<RecordedEvent>,
    ) -> Result<Option<ConsumerFailure>, ConsumerError> {
        let handle = InboxCommand::Handle { version: recorded.version };
        if !self.consumer.wants(recorded) {
            return self.note(inbox, handle).await.map(|()| None);
        }
        let mut after = inbox.clone();
        let mut batch = self.reading.batch();
        let handled = Inbox::decide(after.state.as_ref(), handle, batch.now())?;
        batch.append(&mut after, &handled)?;
        let with = batch.into_commit();
        match self.reading.handle(recorded, Some(&with)).await? {
            Handled::Done => {
                *inbox = after;
                Ok(None)
            }
            Handled::Failed(failure) => Ok(Some(failure)),
        }
    }

    async fn note(&self, inbox: &mut Instance<Inbox>, command: InboxCommand) -> Result<(), ConsumerError> {
        let mut after = inbox.clone();
        let mut batch = self.reading.batch();
        let events = Inbox::decide(after.state.as_ref(), command, batch.now())?;
        batch.append(&mut after, &events)?;
        self.reading.write(batch.into_commit()).await.map_err(ConsumerError::Commit)?;
        *inbox = after;
        Ok(())
    }
}
