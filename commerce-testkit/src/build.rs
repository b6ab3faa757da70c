//! Short ways to write the parts of a commit.
//!
//! Everything here is made from names: equal names give equal streams, keys and pools.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use commerce_core::kernel::commit::{Append, Commit, Expect, Snapshot};
use commerce_core::kernel::event::{EventId, Metadata, NewEvent};
use commerce_core::kernel::mark::{Fingerprint, Mark, MarkKey};
use commerce_core::kernel::personal::PersonalValue;
use commerce_core::kernel::pool::{PoolKey, PoolMove, PoolOp};
use commerce_core::kernel::stream::{Label, StreamId, Version};
use commerce_core::kernel::timer::{TimerKey, TimerWrite};
use commerce_core::kernel::unique::{Key, UniqueKey};
use commerce_core::value::actor::Actor;
use commerce_core::value::id::SubjectId;
use commerce_core::value::time::Timestamp;
use uuid::Uuid;

use crate::fake::START;

/// The namespace of everything that is made from a name here.
const NAMES: Uuid = Uuid::from_u128(0x2b9e_06d1_93a7_5c4e_a1f0_3d52_7c88_1e64);

/// The stream of this name, of the kind `conformance`.
pub fn stream(name: &str) -> StreamId {
    stream_of("conformance", name)
}

/// The stream of this kind and name.
pub fn stream_of(kind: impl Into<Label>, name: &str) -> StreamId {
    StreamId::new(kind, Uuid::new_v5(&NAMES, name.as_bytes()))
}

/// Streams of the kind `conformance` that sort by their number.
pub fn numbered(number: u64) -> StreamId {
    StreamId::new("conformance", Uuid::from_u128(u128::from(number) | (1 << 100)))
}

/// The data subject of this name.
pub fn subject(name: &str) -> SubjectId {
    SubjectId::derived(NAMES, name.as_bytes())
}

/// A unique key of the scope `conformance`.
pub fn key(name: &str) -> Key {
    Key::new("conformance", name)
}

/// The pool of this name.
pub fn pool(name: &str) -> PoolKey {
    PoolKey::new(name)
}

/// A mark of the scope `command`, whose request and result follow from its name.
pub fn mark(id: &str) -> Mark {
    Mark {
        key: MarkKey::new("command", id),
        fingerprint: Fingerprint::of(1, id.as_bytes()),
        result: Arc::from(format!("result of {id}").into_bytes()),
    }
}

/// An event that was never there before: its id and its payload are new with every call.
pub fn event() -> NewEvent {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    NewEvent {
        id: EventId::derived(NAMES, &count.to_be_bytes()),
        name: Label::Borrowed("Happened"),
        schema: 1,
        at: START,
        metadata: Metadata { correlation: Uuid::from_u128(7), causation: None, actor: Actor::System },
        data: Arc::from(format!("{{\"count\":{count}}}").into_bytes()),
        personal: Vec::new(),
    }
}

/// An event with one personal value of this subject.
pub fn personal_event(subject: SubjectId, content: &str) -> NewEvent {
    let json = serde_json::Value::from(content).to_string();
    let value = PersonalValue { field: 0, subject, value: Some(Arc::from(json.into_bytes())) };
    NewEvent { personal: vec![value], ..event() }
}

/// An append of this many new events.
pub fn append(stream: &StreamId, expected: u64, events: usize) -> Append {
    let events = (0..events).map(|_| event()).collect();
    Append { stream: stream.clone(), expected: Version::new(expected), events, snapshot: None }
}

/// A snapshot whose bytes are its text.
pub fn snapshot(version: u64, schema: u16, text: &str) -> Snapshot {
    Snapshot { version: Version::new(version), schema, data: Arc::from(text.as_bytes()) }
}

/// Builds a commit part by part, starting from [`Commit::default`].
pub trait Draft: Sized {
    /// Appends new events.
    #[must_use]
    fn appends(self, stream: &StreamId, expected: u64, events: usize) -> Self {
        self.appending(append(stream, expected, events))
    }
    /// Appends these events.
    #[must_use]
    fn appending(self, append: Append) -> Self;
    /// Asserts a version.
    #[must_use]
    fn expects(self, stream: &StreamId, version: u64) -> Self;
    /// Takes a key of the scope `conformance`.
    #[must_use]
    fn claims(self, name: &str, owner: &StreamId) -> Self {
        self.claiming(UniqueKey { key: key(name), owner: owner.clone(), subject: None })
    }
    /// Takes a key.
    #[must_use]
    fn claiming(self, key: UniqueKey) -> Self;
    /// Gives up a key of the scope `conformance`.
    #[must_use]
    fn releases(self, name: &str, owner: &StreamId) -> Self;
    /// Moves a pool.
    #[must_use]
    fn moves(self, pool: &str, op: PoolOp) -> Self;
    /// Sets a timer.
    #[must_use]
    fn sets(self, stream: &StreamId, name: &'static str, due: Timestamp) -> Self;
    /// Cancels a timer.
    #[must_use]
    fn cancels(self, stream: &StreamId, name: &'static str) -> Self;
    /// Handles the command of this id.
    #[must_use]
    fn marked(self, id: &str) -> Self;
    /// Erases a subject.
    #[must_use]
    fn erases(self, subject: SubjectId) -> Self;
}

impl Draft for Commit {
    fn appending(mut self, append: Append) -> Self {
        self.append.push(append);
        self
    }

    fn expects(mut self, stream: &StreamId, version: u64) -> Self {
        self.expect.push(Expect { stream: stream.clone(), version: Version::new(version) });
        self
    }

    fn claiming(mut self, key: UniqueKey) -> Self {
        self.claim.push(key);
        self
    }

    fn releases(mut self, name: &str, owner: &StreamId) -> Self {
        self.release.push(UniqueKey { key: key(name), owner: owner.clone(), subject: None });
        self
    }

    fn moves(mut self, name: &str, op: PoolOp) -> Self {
        self.moves.push(PoolMove::new(pool(name), op));
        self
    }

    fn sets(mut self, stream: &StreamId, name: &'static str, due: Timestamp) -> Self {
        let key = TimerKey::new(stream.clone(), name);
        self.timers.push(TimerWrite::Set { key, due, payload: Arc::from(name.as_bytes()) });
        self
    }

    fn cancels(mut self, stream: &StreamId, name: &'static str) -> Self {
        self.timers.push(TimerWrite::Cancel { key: TimerKey::new(stream.clone(), name) });
        self
    }

    fn marked(mut self, id: &str) -> Self {
        self.mark = Some(mark(id));
        self
    }

    fn erases(mut self, subject: SubjectId) -> Self {
        self.erase.push(subject);
        self
    }
}
