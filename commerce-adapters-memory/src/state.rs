//! The tables.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use commerce_core::kernel::commit::Snapshot;
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::kernel::mark::{Handled, MarkKey};
use commerce_core::kernel::pool::{PoolKey, PoolLevel};
use commerce_core::kernel::stream::{Position, StreamId, Version};
use commerce_core::kernel::timer::{LeaseToken, TimerKey};
use commerce_core::kernel::unique::Key;
use commerce_core::value::id::SubjectId;
use commerce_core::value::time::Timestamp;

/// One stream.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    pub(crate) events: Vec<Arc<RecordedEvent>>,
    pub(crate) snapshot: Option<Snapshot>,
}

impl Stream {
    pub(crate) fn version(&self) -> Version {
        Version::NONE.after(self.events.len())
    }
}

/// A timer and its lease.
#[derive(Debug)]
pub(crate) struct Timer {
    pub(crate) due: Timestamp,
    pub(crate) payload: Arc<[u8]>,
    pub(crate) lease: Option<(LeaseToken, Timestamp)>,
}

/// A named lease; kept after its end, so that tokens grow.
#[derive(Debug)]
pub(crate) struct NamedLease {
    pub(crate) token: u64,
    pub(crate) until: Option<Timestamp>,
}

/// Everything a store keeps.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) log: Vec<Arc<RecordedEvent>>,
    pub(crate) streams: HashMap<StreamId, Stream>,
    pub(crate) keys: BTreeMap<Key, (StreamId, Option<SubjectId>)>,
    pub(crate) pools: HashMap<PoolKey, PoolLevel>,
    pub(crate) timers: HashMap<TimerKey, Timer>,
    /// The timers by due time.
    pub(crate) agenda: BTreeSet<(Timestamp, TimerKey)>,
    pub(crate) marks: HashMap<MarkKey, Handled>,
    pub(crate) erased: HashSet<SubjectId>,
    /// Where in the log values of a subject stand.
    pub(crate) personal: HashMap<SubjectId, Vec<usize>>,
    pub(crate) leases: HashMap<Arc<str>, NamedLease>,
    /// Tells one timer lease from the next.
    pub(crate) tokens: u64,
}

impl State {
    /// The end of the log.
    pub(crate) fn end(&self) -> Position {
        position(self.log.len())
    }

    /// The version of a stream's head.
    pub(crate) fn version(&self, stream: &StreamId) -> Version {
        self.streams.get(stream).map_or(Version::NONE, Stream::version)
    }
}

/// The position of the event with this number in the log, from 1.
pub(crate) const fn position(number: usize) -> Position {
    Position::from_parts(0, number as u64)
}

/// How many events stand at or before a position.
pub(crate) fn number(position: Position) -> usize {
    let (high, low) = position.parts();
    if high > 0 { usize::MAX } else { usize::try_from(low).unwrap_or(usize::MAX) }
}
