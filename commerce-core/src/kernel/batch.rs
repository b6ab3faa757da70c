//! Builds a [`Commit`] from typed decisions.

use uuid::Uuid;

use super::aggregate::{Aggregate, Instance, stream_of};
use super::codec::{CodecError, encode};
use super::commit::{Append, Commit, Expect};
use super::effects::{Effects, TimerEffect};
use super::event::{DomainEvent, EventId, Metadata, NewEvent};
use super::replay::{ReplayError, write_snapshot};
use super::stream::{Label, StreamId};
use super::timer::{TimerKey, TimerWrite};
use super::unique::UniqueKey;
use crate::port::ids::Ids;
use crate::value::time::Timestamp;

/// Collects the decisions of one use case, over as many aggregates as it needs, into one commit.
#[derive(Debug)]
pub struct Batch<'i> {
    ids: &'i dyn Ids,
    now: Timestamp,
    metadata: Metadata,
    commit: Commit,
}

impl<'i> Batch<'i> {
    /// Starts an empty batch; every event in it happened `now`.
    pub fn new(ids: &'i dyn Ids, now: Timestamp, metadata: Metadata) -> Self {
        Self { ids, now, metadata, commit: Commit::default() }
    }

    /// The time of every event in it.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Appends events to an aggregate with all their effects, and moves its state along.
    ///
    /// Appending to the same aggregate again extends the first append. No events: the version that was
    /// relied on is asserted.
    ///
    /// # Errors
    ///
    /// [`ReplayError`] where an event cannot be written or does not fit the state, which is a defect of
    /// `decide`.
    pub fn append<A: Aggregate>(
        &mut self,
        instance: &mut Instance<A>,
        events: &[A::Event],
    ) -> Result<(), ReplayError> {
        if events.is_empty() {
            self.expect(instance);
            return Ok(());
        }
        let stream = instance.stream();
        let expected = instance.version;
        let mut recorded = Vec::with_capacity(events.len());
        for event in events {
            recorded.push(self.record(event)?);
            self.effects(&stream, A::effects(instance.id, event));
            instance.state = Some(A::evolve(instance.state.take(), event)?);
        }
        instance.version = expected.after(events.len());
        let due = A::SNAPSHOT_EVERY > 0
            && instance.version.get().saturating_sub(instance.snapshot.get()) >= A::SNAPSHOT_EVERY;
        let mut snapshot = None;
        if let Some(state) = instance.state.as_ref().filter(|_| due) {
            snapshot = Some(write_snapshot(state, instance.version)?);
            instance.snapshot = instance.version;
        }
        self.commit.expect.retain(|expect| expect.stream != stream);
        if let Some(append) = self.commit.append.iter_mut().find(|append| append.stream == stream) {
            append.events.append(&mut recorded);
            append.snapshot = snapshot;
        } else {
            self.commit.append.push(Append { stream, expected, events: recorded, snapshot });
        }
        Ok(())
    }

    /// Asserts the version of an aggregate that the decision relied on.
    pub fn expect<A: Aggregate>(&mut self, instance: &Instance<A>) {
        let stream = stream_of::<A>(instance.id);
        let known = self.commit.append.iter().any(|append| append.stream == stream)
            || self.commit.expect.iter().any(|expect| expect.stream == stream);
        if !known {
            self.commit.expect.push(Expect { stream, version: instance.version });
        }
    }

    /// The commit so far, for what is not derived from events: mark, lease, fence, erasures.
    pub const fn commit_mut(&mut self) -> &mut Commit {
        &mut self.commit
    }

    /// The finished commit.
    pub fn into_commit(self) -> Commit {
        self.commit
    }

    fn record<E: DomainEvent>(&self, event: &E) -> Result<NewEvent, CodecError> {
        let name = event.name();
        let schema = super::codec::event_type::<E>(name).map_or(1, |known| known.schema);
        let encoded = encode(event)?;
        Ok(NewEvent {
            id: self.event_id(),
            name: Label::Borrowed(name),
            schema,
            at: self.now,
            metadata: self.metadata,
            data: encoded.data,
            personal: encoded.personal,
        })
    }

    fn event_id(&self) -> EventId {
        // The port never gives the nil UUID; a fake that does gets an id derived from nothing instead.
        EventId::from_uuid(self.ids.next(self.now)).unwrap_or_else(|_| EventId::derived(Uuid::nil(), b""))
    }

    fn effects(&mut self, stream: &StreamId, effects: Effects) {
        let owned = |key, subject| UniqueKey { key, owner: stream.clone(), subject };
        self.commit.claim.extend(effects.claims.into_iter().map(|claim| owned(claim.key, claim.subject)));
        self.commit.release.extend(effects.releases.into_iter().map(|key| owned(key, None)));
        self.commit.moves.extend(effects.moves);
        self.commit.timers.extend(effects.timers.into_iter().map(|timer| match timer {
            TimerEffect::Set { name, due, payload } => {
                TimerWrite::Set { key: TimerKey::new(stream.clone(), name), due, payload }
            }
            TimerEffect::Cancel { name } => TimerWrite::Cancel { key: TimerKey::new(stream.clone(), name) },
        }));
    }
}
