//! A transaction as data: what a store loads and what it commits.

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::CommitError;
use super::event::{NewEvent, RecordedEvent};
use super::mark::{Handled, MAX_RESULT, Mark, MarkKey};
use super::pool::{PoolKey, PoolLevel, PoolMove};
use super::stream::{Position, StreamId, Version};
use super::timer::{LeaseToken, TimerKey, TimerWrite};
use super::unique::{Key, UniqueKey};
use crate::value::id::SubjectId;

/// The state of an aggregate at a version, in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The version of the last event in it.
    pub version: Version,
    /// `STATE_SCHEMA` of the aggregate that wrote it.
    pub schema: u16,
    /// The state.
    pub data: Arc<[u8]>,
}

/// Events for the end of one stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expect {
    /// The stream.
    pub stream: StreamId,
    /// The version that the decision was made on.
    pub version: Version,
}

/// The holder of a named lease, checked by the store (see the `Lease` port).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fence {
    /// The lease.
    pub name: Arc<str>,
    /// Grows with every holder.
    pub token: u64,
}

/// Everything that must happen together: one value, all or nothing.
///
/// Open to adapters and tests; start from [`Commit::default`]. It serialises whole, personal values
/// included, so that a store can keep it as one record; it is nothing to log or to publish.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
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

    /// Checks the rules of a commit's own form, which every store does before anything else.
    ///
    /// # Errors
    ///
    /// [`CommitError::Malformed`]: an append without events, a stream that stands twice in `append`, a
    /// snapshot of another version than the last event's, or a mark's result above [`MAX_RESULT`].
    pub fn well_formed(&self) -> Result<(), CommitError> {
        let mut seen = HashSet::with_capacity(self.append.len());
        for append in &self.append {
            if append.events.is_empty() {
                return Err(CommitError::Malformed("an append without events"));
            }
            if !seen.insert(&append.stream) {
                return Err(CommitError::Malformed("a stream stands twice in append"));
            }
            let last = append.expected.after(append.events.len());
            if append.snapshot.as_ref().is_some_and(|snapshot| snapshot.version != last) {
                return Err(CommitError::Malformed("a snapshot of another version than the last event's"));
            }
        }
        if self.mark.as_ref().is_some_and(|mark| mark.result.len() > MAX_RESULT) {
            return Err(CommitError::Malformed("a mark's result above 1 KB"));
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::event::{EventId, Metadata};
    use crate::kernel::mark::Fingerprint;
    use crate::kernel::personal::PersonalValue;
    use crate::kernel::pool::PoolOp;
    use crate::value::actor::Actor;
    use crate::value::time::Timestamp;
    use uuid::Uuid;

    #[test]
    fn a_commit_survives_being_written_and_read() {
        let stream = StreamId::new("order", Uuid::from_u128(1));
        let subject = SubjectId::derived(Uuid::nil(), b"alice");
        let timer = TimerKey::new(stream.clone(), "expiry");
        let event = NewEvent {
            id: EventId::derived(Uuid::nil(), b"event"),
            name: "Happened".into(),
            schema: 2,
            at: Timestamp::UNIX_EPOCH,
            metadata: Metadata { correlation: Uuid::from_u128(2), causation: None, actor: Actor::System },
            data: Arc::from(&b"{}"[..]),
            personal: vec![PersonalValue { field: 0, subject, value: Some(Arc::from(&b"\"Alice\""[..])) }],
        };
        let snapshot = Snapshot { version: Version::new(1), schema: 3, data: Arc::from(&[0, 255][..]) };
        let events = vec![event];
        let key = Key::new("sku", "MUG");
        let commit = Commit {
            append: vec![Append {
                stream: stream.clone(),
                expected: Version::NONE,
                events,
                snapshot: Some(snapshot),
            }],
            expect: vec![Expect { stream: stream.clone(), version: Version::new(7) }],
            claim: vec![UniqueKey { key: key.clone(), owner: stream.clone(), subject: Some(subject) }],
            release: vec![UniqueKey { key, owner: stream, subject: None }],
            moves: vec![PoolMove::new(
                PoolKey::new("p"),
                PoolOp::HoldAbove { amount: u64::MAX, floor: i64::MIN },
            )],
            timers: vec![
                TimerWrite::Set { key: timer.clone(), due: Timestamp::MAX, payload: Arc::from(&[1][..]) },
                TimerWrite::Cancel { key: timer.clone() },
            ],
            mark: Some(Mark {
                key: MarkKey::new("command", "1"),
                fingerprint: Fingerprint::of(1, b"x"),
                result: Arc::from(&[][..]),
            }),
            lease: Some((timer, Uuid::from_u128(9))),
            fence: Some(Fence { name: "relay".into(), token: 3 }),
            erase: vec![subject],
        };
        let bytes = serde_json::to_vec(&commit).unwrap();
        assert_eq!(serde_json::from_slice::<Commit>(&bytes).unwrap(), commit);
    }
}
