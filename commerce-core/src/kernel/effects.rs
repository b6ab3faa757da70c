//! What an event does besides being appended: derived, never written by hand.

use std::sync::Arc;

use super::pool::{PoolKey, PoolMove, PoolOp};
use super::stream::Label;
use super::unique::Key;
use crate::value::id::SubjectId;
use crate::value::time::Timestamp;

/// A unique key that an event takes or gives up for its own stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyEffect {
    /// The key.
    pub key: Key,
    /// Whose it is, where it is personal.
    pub subject: Option<SubjectId>,
}

/// A timer that an event sets or cancels on its own stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimerEffect {
    /// Wakes the stream.
    Set {
        /// What for.
        name: Label,
        /// When, absolute.
        due: Timestamp,
        /// A few bytes; ids only.
        payload: Arc<[u8]>,
    },
    /// Forgets the timer.
    Cancel {
        /// Which.
        name: Label,
    },
}

/// Everything that one event does to unique keys, pools and timers.
///
/// Follows from the event alone: no state, clock or configuration is read, so that keys, pools and
/// timers can be rebuilt from the log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effects {
    /// Keys taken for the event's stream.
    pub claims: Vec<KeyEffect>,
    /// Keys given up by the event's stream.
    pub releases: Vec<Key>,
    /// Moves of pools.
    pub moves: Vec<PoolMove>,
    /// Timers of the event's stream.
    pub timers: Vec<TimerEffect>,
}

impl Effects {
    /// An event that only appends.
    pub fn none() -> Self {
        Self::default()
    }

    /// Takes a key.
    #[must_use]
    pub fn claim(mut self, scope: impl Into<Label>, key: impl Into<Arc<str>>) -> Self {
        self.claims.push(KeyEffect { key: Key::new(scope, key), subject: None });
        self
    }

    /// Takes a personal key, which erasing the subject frees.
    #[must_use]
    pub fn claim_personal(
        mut self,
        scope: impl Into<Label>,
        key: impl Into<Arc<str>>,
        subject: SubjectId,
    ) -> Self {
        self.claims.push(KeyEffect { key: Key::new(scope, key), subject: Some(subject) });
        self
    }

    /// Gives a key up.
    #[must_use]
    pub fn release(mut self, scope: impl Into<Label>, key: impl Into<Arc<str>>) -> Self {
        self.releases.push(Key::new(scope, key));
        self
    }

    /// Moves a pool.
    #[must_use]
    pub fn pool(mut self, pool: PoolKey, op: PoolOp) -> Self {
        self.moves.push(PoolMove::new(pool, op));
        self
    }

    /// Wakes the stream later.
    #[must_use]
    pub fn timer(mut self, name: impl Into<Label>, due: Timestamp) -> Self {
        self.timers.push(TimerEffect::Set { name: name.into(), due, payload: Arc::from(&[][..]) });
        self
    }

    /// Forgets a timer.
    #[must_use]
    pub fn cancel_timer(mut self, name: impl Into<Label>) -> Self {
        self.timers.push(TimerEffect::Cancel { name: name.into() });
        self
    }
}
