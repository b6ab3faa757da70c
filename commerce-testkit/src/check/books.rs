//! What the log says: the state of every stream, and what every table should hold.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use commerce_core::kernel::aggregate::{Aggregate, stream_of};
use commerce_core::kernel::effects::{Effects, TimerEffect};
use commerce_core::kernel::error::PortError;
use commerce_core::kernel::event::{EventId, RecordedEvent};
use commerce_core::kernel::pool::{PoolKey, PoolLevel};
use commerce_core::kernel::stream::{Position, StreamId};
use commerce_core::kernel::timer::TimerKey;
use commerce_core::kernel::unique::Key;
use commerce_core::port::store::{LogQuery, MAX_PAGE, Store};
use commerce_core::value::id::Id;
use commerce_core::value::time::Timestamp;
use uuid::Uuid;

use super::always::Indexes;
use super::kind::{Kinds, State};
use super::pools::Pools;
use super::saga::Courses;
use super::{Breach, Rule, goods};

/// A stream as far as it was read.
#[derive(Default)]
pub(super) struct Entry {
    pub(super) version: u64,
    state: Option<State>,
    /// Set once an event did not fit, so that it is told once.
    corrupt: bool,
}

/// The shop as its log tells it, folded without the library's own tables.
///
/// Knows the library's aggregates; [`know`](Self::know) adds yours. Streams of other kinds are only looked
/// at for gaps.
#[derive(Default)]
pub struct Books {
    kinds: Kinds,
    pub(super) streams: BTreeMap<StreamId, Entry>,
    seen: BTreeSet<EventId>,
    /// The number of the last event that a command led to.
    caused: BTreeMap<Uuid, u64>,
    pub(super) pools: Pools,
    pub(super) keys: BTreeMap<Key, BTreeSet<StreamId>>,
    /// Keys that go when their subject is erased.
    pub(super) personal: BTreeSet<Key>,
    pub(super) arrived: BTreeMap<PoolKey, i64>,
    pub(super) timers: BTreeMap<TimerKey, Timestamp>,
    pub(super) courses: Courses,
    pub(super) indexes: Indexes,
    after: Position,
    events: u64,
}

/// What a stretch of the log has touched.
#[derive(Debug, Default)]
pub(super) struct Touched {
    pub(super) streams: BTreeSet<StreamId>,
    pub(super) pools: BTreeSet<PoolKey>,
    pub(super) keys: BTreeSet<Key>,
}

impl Books {
    /// Also folds aggregates of this kind.
    pub fn know<A: Aggregate>(&mut self) {
        self.kinds.know::<A>();
    }

    /// Reads on in the log and tells what must not be; each breach once.
    ///
    /// # Errors
    ///
    /// [`PortError`] where the store cannot be read.
    pub async fn read(&mut self, store: &dyn Store) -> Result<Vec<Breach>, PortError> {
        let mut breaches = Vec::new();
        let mut touched = Touched::default();
        loop {
            let page = store.read_all(LogQuery::after(self.after, MAX_PAGE)).await?;
            if page.events.is_empty() {
                break;
            }
            self.after = page.next;
            for event in page.events {
                self.apply(&event, &mut touched, &mut breaches);
            }
        }
        self.always(&touched, &mut breaches);
        Ok(breaches)
    }

    /// How many events were read.
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// How many streams there are.
    pub fn streams(&self) -> usize {
        self.streams.len()
    }

    /// The level of a pool by the log.
    pub fn level(&self, pool: &PoolKey) -> PoolLevel {
        self.pools.level(pool)
    }

    /// The state of an aggregate by the log.
    pub fn get<A: Aggregate>(&self, id: Id<A::Root>) -> Option<&A> {
        self.streams.get(&stream_of::<A>(id))?.state.as_ref()?.downcast_ref()
    }

    /// Every aggregate of a kind, by the order of their ids.
    pub fn all<A: Aggregate>(&self) -> impl Iterator<Item = (Id<A::Root>, &A)> {
        let of_kind = self.streams.iter().filter(|(stream, _)| stream.kind == A::NAME);
        of_kind.filter_map(|(stream, entry)| {
            let state = entry.state.as_ref()?.downcast_ref()?;
            Some((Id::from_uuid(stream.id).ok()?, state))
        })
    }

    /// The timers that are set, by the log.
    pub fn timers(&self) -> impl Iterator<Item = (&TimerKey, Timestamp)> {
        self.timers.iter().map(|(key, due)| (key, *due))
    }

    fn apply(&mut self, recorded: &Arc<RecordedEvent>, touched: &mut Touched, breaches: &mut Vec<Breach>) {
        self.events = self.events.saturating_add(1);
        let stream = &recorded.stream;
        if !self.seen.insert(recorded.event.id) {
            let what = format!("event {} of {stream} stands in the log twice", recorded.event.id);
            breaches.push(Breach::new(Rule::Idempotency, what));
        }
        if let Some(cause) = recorded.event.metadata.causation {
            // The events of one commit stand together: elsewhere they are of another one.
            let before = self.caused.insert(cause, self.events);
            if before.is_some_and(|before| before.saturating_add(1) != self.events) {
                let what = format!("command {cause} had an effect on {stream} after it was done");
                breaches.push(Breach::new(Rule::Idempotency, what));
            }
        }
        let entry = self.streams.entry(stream.clone()).or_default();
        entry.version = entry.version.saturating_add(1);
        if recorded.version.get() != entry.version {
            let what = format!("{stream}: version {} where {} is due", recorded.version, entry.version);
            breaches.push(Breach::new(Rule::Events, what));
            entry.version = recorded.version.get();
        }
        touched.streams.insert(stream.clone());
        self.courses.note(recorded, breaches);
        goods::note(&mut self.arrived, recorded);
        let Some(apply) = self.kinds.get(&stream.kind) else { return };
        match apply(&mut entry.state, recorded) {
            Ok(effects) => self.effects(stream, effects, touched),
            Err(reason) if !entry.corrupt => {
                entry.corrupt = true;
                let name = &recorded.event.name;
                let what = format!("{stream}: {name} v{} does not fold: {reason}", recorded.version);
                breaches.push(Breach::new(Rule::Events, what));
            }
            Err(_) => {}
        }
    }

    fn effects(&mut self, stream: &StreamId, effects: Effects, touched: &mut Touched) {
        for key in effects.releases {
            if let Some(owners) = self.keys.get_mut(&key) {
                owners.remove(stream);
            }
            touched.keys.insert(key);
        }
        for claim in effects.claims {
            if claim.subject.is_some() {
                self.personal.insert(claim.key.clone());
            }
            self.keys.entry(claim.key.clone()).or_default().insert(stream.clone());
            touched.keys.insert(claim.key);
        }
        for step in effects.moves {
            touched.pools.insert(step.pool.clone());
            self.pools.apply(step);
        }
        for timer in effects.timers {
            match timer {
                TimerEffect::Set { name, due, .. } => {
                    self.timers.insert(TimerKey::new(stream.clone(), name), due);
                }
                TimerEffect::Cancel { name } => {
                    self.timers.remove(&TimerKey::new(stream.clone(), name));
                }
            }
        }
    }

    /// Whether somebody will be woken for this stream.
    pub(super) fn is_woken(&self, stream: &StreamId) -> bool {
        let from = TimerKey::new(stream.clone(), "");
        self.timers.range(from..).next().is_some_and(|(key, _)| key.stream == *stream)
    }
}

impl fmt::Debug for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Books")
            .field("events", &self.events)
            .field("streams", &self.streams.len())
            .finish_non_exhaustive()
    }
}
