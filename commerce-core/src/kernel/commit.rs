//! A transaction as data: what a store loads and what it commits.

use std::sync::Arc;

use super::event::NewEvent;
use super::event::RecordedEvent;
use super::mark::{Handled, Mark, MarkKey};
use super::pool::{PoolKey, PoolLevel, PoolMove};
use super::stream::{Position, StreamId, Version};
use super::timer::{LeaseToken, TimerKey, TimerWrite};
use super::unique::{Key, UniqueKey};
use crate::value::id::SubjectId;

/// The state of an aggregate at a version, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The version of the last event in it.
    pub version: Version,
    /// `STATE_SCHEMA` of the aggregate that wrote it.
    pub schema: u16,
    /// The state.
    pub data: Arc<[u8]>,
}

/// Events for the end of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    /// The stream; created where it does not exist.
    pub stream: StreamId,
    /// The version that the decision was made on.
    pub expected: Version,
    /// What happened, at least one.
    pub events: Vec<NewEvent>,
    /// The state behind the last event, where one is due.
    pub snapshot: Option<Snapshot>,
}

/// A stream that the decision relied on without appending to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expect {
    /// The stream.
    pub stream: StreamId,
    /// The version that the decision was made on.
    pub version: Version,
}

/// The holder of a named lease, checked by the store (see the `Lease` port).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    /// The lease.
    pub name: Arc<str>,
    /// Grows with every holder.
    pub token: u64,
}

/// Everything that must happen together: one value, all or nothing.
///
/// Open to adapters and tests; start from [`Commit::default`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Commit {
    /// Events; a stream stands here at most once.
    pub append: Vec<Append>,
    /// Versions asserted without appending.
    pub expect: Vec<Expect>,
    /// Keys to take. With `release`, the net per key counts.
    pub claim: Vec<UniqueKey>,
    /// Keys to give up; another owner's or a free key is left alone.
    pub release: Vec<UniqueKey>,
    /// Moves of pools, summed per pool before the guards.
    pub moves: Vec<PoolMove>,
    /// Timers to set or cancel, in order.
    pub timers: Vec<TimerWrite>,
    /// What this commit handles.
    pub mark: Option<Mark>,
    /// The leased timer that this commit handles.
    pub lease: Option<(TimerKey, LeaseToken)>,
    /// The named lease under which it is made.
    pub fence: Option<Fence>,
    /// Subjects whose personal data goes with this commit.
    pub erase: Vec<SubjectId>,
}

impl Commit {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// How many events it appends.
    pub fn events(&self) -> usize {
        self.append.iter().map(|append| append.events.len()).sum()
    }
}

/// A commit that was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The log's end right behind this commit: a reader that reached it has seen the commit.
    pub position: Position,
}

/// How much of a stream is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamQuery {
    /// The stream.
    pub stream: StreamId,
    /// What the caller has already folded; only later events come back.
    pub after: Version,
    /// The schema of snapshots that the caller can use; `None` where none is wanted.
    pub snapshot_schema: Option<u16>,
}

/// Keys of a scope, by prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryQuery {
    /// The scope.
    pub scope: super::stream::Label,
    /// The prefix; empty for all.
    pub prefix: Arc<str>,
    /// At most this many, up to [`MAX_DIRECTORY`].
    pub limit: u32,
}

/// The most keys that one directory query gives.
pub const MAX_DIRECTORY: u32 = 500;

/// Everything that a decision needs, from one consistent snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Load {
    /// Streams by id.
    pub streams: Vec<StreamQuery>,
    /// Owners of unique keys.
    pub by_claim: Vec<Key>,
    /// Levels of pools.
    pub pools: Vec<PoolKey>,
    /// What was handled already.
    pub marks: Vec<MarkKey>,
    /// Keys by scope and prefix.
    pub directory: Vec<DirectoryQuery>,
}

/// One stream as it was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedStream {
    /// The stream.
    pub stream: StreamId,
    /// The version of its head.
    pub version: Version,
    /// The newest snapshot that is later than `after` and of the wanted schema.
    pub snapshot: Option<Snapshot>,
    /// The events behind the snapshot, or behind `after`, in order.
    pub events: Vec<Arc<RecordedEvent>>,
}

/// The answer to a [`Load`], in the order of its questions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loaded {
    /// One for each query; an unknown stream is at [`Version::NONE`].
    pub streams: Vec<LoadedStream>,
    /// The owner of each key, where there is one.
    pub by_claim: Vec<Option<StreamId>>,
    /// The level of each pool; zeros where it was never moved.
    pub pools: Vec<PoolLevel>,
    /// Each mark, where it was handled.
    pub marks: Vec<Option<Handled>>,
    /// The keys found by each query, ascending.
    pub directory: Vec<Vec<(Key, StreamId)>>,
}
