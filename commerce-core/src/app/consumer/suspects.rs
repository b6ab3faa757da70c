//! Is it the message, or is everything down?
//!
//! A consumer that reports an outage may be wrong: one message may be what breaks the other side. As long as
//! nothing else is handled behind it, nobody can tell, and the try is not counted. As soon as another message
//! gets through, it was the message.

use std::sync::Arc;

use super::{ConsumerError, ConsumerFailure, ConsumerRound, ConsumerRunner};
use crate::kernel::event::RecordedEvent;

/// How many are tried in a row before a round takes it for an outage.
const ENOUGH: usize = 2;

/// Messages that failed as if everything were down, and nothing was handled since.
#[derive(Debug, Default)]
pub(in crate::app) struct Suspects(Vec<(Arc<RecordedEvent>, ConsumerFailure)>);

impl Suspects {
    /// One more.
    pub(in crate::app) fn add(&mut self, recorded: &Arc<RecordedEvent>, failure: ConsumerFailure) {
        self.0.push((recorded.clone(), failure));
    }

    /// Whether it looks like an outage.
    pub(in crate::app) const fn are_many(&self) -> bool {
        self.0.len() >= ENOUGH
    }

    /// Whether there are any.
    pub(in crate::app) const fn are_there(&self) -> bool {
        !self.0.is_empty()
    }
}

impl ConsumerRunner {
    /// Something was handled: the suspects failed by themselves.
    pub(in crate::app) async fn convict(
        &self,
        suspects: &mut Suspects,
        round: &mut ConsumerRound,
    ) -> Result<(), ConsumerError> {
        for (recorded, failure) in suspects.0.drain(..) {
            self.block(&recorded, failure, round).await?;
        }
        Ok(())
    }
}
