//! Timers: something due later, leased to one worker at a time.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::stream::{Label, StreamId};
use crate::value::time::Timestamp;

/// Names a timer: the stream that it wakes, and what for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TimerKey {
    /// The stream to wake.
    pub stream: StreamId,
    /// What for, for example `expiry`.
    pub name: Label,
}

impl TimerKey {
    /// The timer of this stream with this name.
    pub fn new(stream: StreamId, name: impl Into<Label>) -> Self {
        Self { stream, name: name.into() }
    }
}

impl fmt::Display for TimerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.stream, self.name)
    }
}

/// What a commit does to a timer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimerWrite {
    /// Sets or replaces it and clears its lease.
    Set {
        /// Which.
        key: TimerKey,
        /// When it is due.
        due: Timestamp,
        /// A few bytes for whoever handles it; ids only.
        payload: Arc<[u8]>,
    },
    /// Removes it; nothing happens where there is none.
    Cancel {
        /// Which.
        key: TimerKey,
    },
}

impl TimerWrite {
    /// Which timer is written.
    pub const fn key(&self) -> &TimerKey {
        match self {
            Self::Set { key, .. } | Self::Cancel { key } => key,
        }
    }
}

/// Proves a lease on a timer; a later lease of the same timer has another one.
pub type LeaseToken = Uuid;

/// A due timer, leased to the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueTimer {
    /// Which.
    pub key: TimerKey,
    /// When it became due.
    pub due: Timestamp,
    /// What was stored with it.
    pub payload: Arc<[u8]>,
    /// To be named in the commit that handles it.
    pub token: LeaseToken,
}
