//! Committing so that an unknown outcome becomes a known one.

use std::time::Duration;

use super::commerce::Commerce;
use super::observing::trace_of;
use crate::kernel::commit::{Commit, Receipt};
use crate::kernel::error::{CommitError, Effect};
use crate::kernel::event::EventId;
use crate::kernel::stream::{StreamId, Version};

/// How often a whole decision is made before the caller hears of the conflict.
pub(crate) const MAX_ATTEMPTS: u32 = 5;

impl Commerce {
    /// Commits, and submits the very same commit again while its outcome is unknown.
    ///
    /// The second submission either applies the commit or meets its own traces: its mark, or its first
    /// event at the head that was expected. A mere read could not tell (the first may still be on its
    /// way), so none is made before something definite was answered.
    pub(crate) async fn commit_resolved(&self, mut commit: Commit) -> Result<Receipt, CommitError> {
        let lease = self.request.lease.named();
        if commit.lease.is_none() {
            commit.lease.clone_from(&lease);
        }
        let trace = self.is_watched().then(|| trace_of(&commit));
        let done = self.commit_until_known(commit).await;
        if let (Some(trace), Err(error)) = (trace, &done) {
            self.conflicted(trace, error);
        }
        if lease.is_some() && done.is_ok() {
            self.request.lease.used();
        }
        done
    }

    async fn commit_until_known(&self, commit: Commit) -> Result<Receipt, CommitError> {
        let mut unknown = false;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let result = self.store().commit(commit.clone()).await;
            match result {
                Err(CommitError::Port(error)) if attempt < MAX_ATTEMPTS => {
                    unknown |= error.effect == Effect::Unknown;
                    self.pause(attempt).await;
                }
                // Ours: no other request carries this mark and fingerprint.
                Err(CommitError::AlreadyHandled(handled)) if unknown => {
                    return Ok(Receipt { position: handled.position });
                }
                // The first submission may have ended the lease that it named.
                Err(lost @ (CommitError::Stale { .. } | CommitError::LeaseLost(_))) if unknown => {
                    return self.find_own(&commit).await?.ok_or(lost);
                }
                Err(CommitError::Port(mut error)) => {
                    // Once one submission may have arrived, the whole may have.
                    if unknown {
                        error.effect = Effect::Unknown;
                    }
                    return Err(CommitError::Port(error));
                }
                other => return other,
            }
        }
    }

    /// Whether the commit was applied: its first event stands where it was to be appended.
    async fn find_own(&self, commit: &Commit) -> Result<Option<Receipt>, CommitError> {
        let first: Option<(&StreamId, Version, EventId)> = commit
            .append
            .first()
            .and_then(|append| Some((&append.stream, append.expected, append.events.first()?.id)));
        let Some((stream, expected, id)) = first else { return Ok(None) };
        let found = self.store().read_stream(stream, expected, 1).await?;
        Ok(found
            .first()
            .filter(|recorded| recorded.event.id == id)
            .map(|recorded| Receipt { position: recorded.position }))
    }

    /// Waits a little before the next attempt: up to 2, 4, 8 … ms, jittered by the bytes of a new id.
    pub(crate) async fn pause(&self, attempt: u32) {
        // Waiting is done by the process's own clock, whatever time is decided by.
        let now = self.shared.platform.clock.now();
        let bytes = self.ids().next(now).into_bytes();
        let random = bytes.last().copied().unwrap_or(0);
        let ceiling = Duration::from_millis(1 << attempt.min(8));
        let wait = ceiling.saturating_mul(u32::from(random)) / 256;
        self.sleeper().sleep_until(now.plus(wait)).await;
    }
}
