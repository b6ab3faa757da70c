//! The tables of the broken store, and how it names what it keeps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use commerce_core::kernel::commit::Snapshot;
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::kernel::mark::{Handled, MarkKey};
use commerce_core::kernel::pool::{PoolKey, PoolLevel};
use commerce_core::kernel::stream::{Position, StreamId};
use commerce_core::kernel::timer::{LeaseToken, TimerKey};
use commerce_core::kernel::unique::Key;
use commerce_core::value::id::SubjectId;
use commerce_core::value::time::Timestamp;

use super::flaw::Break;

/// A timer and its lease.
#[derive(Debug, Clone)]
pub(super) struct Timer {
    pub(super) due: Timestamp,
    pub(super) payload: Arc<[u8]>,
    pub(super) lease: Option<(LeaseToken, Timestamp)>,
}

/// A named lease.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub(super) token: u64,
    pub(super) until: Option<Timestamp>,
}

/// Everything that is kept, and the break.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) flaw: Option<Break>,
    /// Ascending by position.
    pub(super) log: Vec<RecordedEvent>,
    /// The last position that was given out.
    pub(super) last: u64,
    pub(super) heads: BTreeMap<StreamId, u64>,
    pub(super) snapshots: BTreeMap<StreamId, Snapshot>,
    pub(super) keys: BTreeMap<Key, (StreamId, Option<SubjectId>)>,
    /// Keys that were ever claimed, for one of the breaks.
    pub(super) ever: BTreeMap<Key, StreamId>,
    pub(super) pools: BTreeMap<PoolKey, PoolLevel>,
    pub(super) timers: BTreeMap<TimerKey, Timer>,
    pub(super) marks: BTreeMap<MarkKey, Handled>,
    pub(super) erased: BTreeSet<SubjectId>,
    pub(super) leases: BTreeMap<Arc<str>, Held>,
    /// How many timer leases there were.
    pub(super) tokens: u64,
}

/// The position with this number.
pub(super) const fn position(number: u64) -> Position {
    Position::from_parts(0, number)
}

impl State {
    /// Whether it is broken in this way.
    pub(super) fn has(&self, flaw: Break) -> bool {
        self.flaw == Some(flaw)
    }

    /// The end of the log.
    pub(super) const fn end(&self) -> Position {
        position(self.last)
    }

    /// The number of the last event of a stream.
    pub(super) fn head(&self, stream: &StreamId) -> u64 {
        self.heads.get(&self.stream(stream)).copied().unwrap_or(0)
    }

    /// The name under which the head of a stream is kept.
    pub(super) fn stream(&self, stream: &StreamId) -> StreamId {
        match self.flaw {
            Some(Break::MixesKinds) => StreamId::new("any", stream.id),
            _ => stream.clone(),
        }
    }

    /// The name under which a key is kept.
    pub(super) fn key(&self, key: &Key) -> Key {
        match self.flaw {
            Some(Break::MixesScopes) => Key::new("any", key.key.clone()),
            Some(Break::FoldsCase) => Key::new(key.scope.clone(), key.key.to_lowercase()),
            _ => key.clone(),
        }
    }

    /// The name under which a mark is kept.
    pub(super) fn mark(&self, key: &MarkKey) -> MarkKey {
        match self.flaw {
            Some(Break::MixesMarkScopes) => MarkKey::new("any", key.id.clone()),
            _ => key.clone(),
        }
    }

    /// The name under which a timer is kept.
    pub(super) fn timer(&self, key: &TimerKey) -> TimerKey {
        match self.flaw {
            Some(Break::MixesTimerNames) => TimerKey::new(key.stream.clone(), "any"),
            _ => key.clone(),
        }
    }
}
