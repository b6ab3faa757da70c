//! Unique keys, pools and timers as the events of the log make them, and where a store's tables differ.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::aggregate::Aggregate;
use super::codec::{CodecError, decode};
use super::effects::{Effects, TimerEffect};
use super::event::RecordedEvent;
use super::pool::{NetMove, PoolKey, PoolLevel, PoolOp};
use super::stream::{Label, StreamId};
use super::timer::TimerKey;
use super::unique::{Key, UniqueKey};
use crate::value::id::{Id, SubjectId};
use crate::value::time::Timestamp;

/// Derives the effects of one stored event.
type Derive = fn(&RecordedEvent) -> Result<Effects, CodecError>;

/// The kinds of aggregates whose effects can be derived from the log.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    kinds: BTreeMap<Label, Derive>,
}

impl Registry {
    /// Knows nothing.
    pub fn empty() -> Self {
        Self::default()
    }

    /// With the events of one more aggregate.
    #[must_use]
    pub fn with<A: Aggregate>(mut self) -> Self {
        self.kinds.insert(A::NAME.into(), derive::<A>);
        self
    }

    /// What an event did to keys, pools and timers; `None` for a kind that is not registered.
    ///
    /// # Errors
    ///
    /// [`CodecError`] where the event cannot be read.
    pub fn effects(&self, recorded: &RecordedEvent) -> Option<Result<Effects, CodecError>> {
        self.kinds.get(&recorded.stream.kind).map(|derive| derive(recorded))
    }
}

fn derive<A: Aggregate>(recorded: &RecordedEvent) -> Result<Effects, CodecError> {
    let event: A::Event = decode(&recorded.event)?;
    // An event of the nil stream cannot have been written: there is no such id.
    Ok(Id::from_uuid(recorded.stream.id).map_or_else(|_| Effects::none(), |id| A::effects(id, &event)))
}

/// The tables, rebuilt event by event.
#[derive(Debug, Clone, Default)]
pub struct Rebuilt {
    keys: BTreeMap<Key, (StreamId, Option<SubjectId>)>,
    pools: BTreeMap<PoolKey, NetMove>,
    timers: BTreeMap<TimerKey, (Timestamp, Arc<[u8]>)>,
}

/// A balance that archived events left: the opening entry of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpeningEntry {
    /// A unique key.
    Key(UniqueKey),
    /// A pool.
    Pool(PoolKey, PoolLevel),
    /// A timer, when it is due and what is stored with it.
    Timer(TimerKey, Timestamp, Arc<[u8]>),
}

impl OpeningEntry {
    /// The text of its key, by which a scan goes on behind it.
    pub fn text(&self) -> String {
        match self {
            Self::Key(owned) => owned.key.to_string(),
            Self::Pool(pool, _) => pool.to_string(),
            Self::Timer(key, ..) => key.to_string(),
        }
    }
}

/// Something that a store's tables hold and the log does not say, or the other way round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// A unique key.
    Key {
        /// Which.
        key: Key,
        /// Who owns it in the table.
        stored: Option<StreamId>,
        /// Who owns it by the log.
        derived: Option<StreamId>,
        /// Whose it is by the log, where it is personal.
        subject: Option<SubjectId>,
    },
    /// A pool.
    Pool {
        /// Which.
        pool: PoolKey,
        /// The level in the table.
        stored: PoolLevel,
        /// The level by the log.
        derived: PoolLevel,
    },
    /// A timer.
    Timer {
        /// Which.
        timer: TimerKey,
        /// When it is due in the table.
        stored: Option<Timestamp>,
        /// When it is due by the log.
        derived: Option<Timestamp>,
        /// What is stored with it by the log.
        payload: Arc<[u8]>,
    },
}

impl Rebuilt {
    /// Follows one event; events come in the order of the log.
    pub fn apply(&mut self, stream: &StreamId, effects: Effects) {
        for key in effects.releases {
            if self.keys.get(&key).is_some_and(|(owner, _)| owner == stream) {
                self.keys.remove(&key);
            }
        }
        for claim in effects.claims {
            self.keys.insert(claim.key, (stream.clone(), claim.subject));
        }
        for step in effects.moves {
            self.pools.entry(step.pool).or_default().add(step.op);
        }
        for timer in effects.timers {
            match timer {
                TimerEffect::Set { name, due, payload } => {
                    self.timers.insert(TimerKey::new(stream.clone(), name), (due, payload));
                }
                TimerEffect::Cancel { name } => {
                    self.timers.remove(&TimerKey::new(stream.clone(), name));
                }
            }
        }
    }

    /// Starts from what archived events left.
    pub fn open(&mut self, entry: OpeningEntry) {
        match entry {
            OpeningEntry::Key(known) => {
                self.keys.insert(known.key, (known.owner, known.subject));
            }
            OpeningEntry::Pool(pool, level) => {
                let net = self.pools.entry(pool).or_default();
                for op in moves_between(PoolLevel::default(), level) {
                    net.add(op);
                }
            }
            OpeningEntry::Timer(timer, due, payload) => {
                self.timers.insert(timer, (due, payload));
            }
        }
    }

    /// What the events so far leave, as the opening entries of a log that begins behind them.
    pub fn entries(&self) -> impl Iterator<Item = OpeningEntry> {
        let keys = self.keys.iter().map(|(key, (owner, subject))| {
            OpeningEntry::Key(UniqueKey { key: key.clone(), owner: owner.clone(), subject: *subject })
        });
        let pools = self.pools.iter().map(|(pool, net)| OpeningEntry::Pool(pool.clone(), net.total()));
        let timers = self
            .timers
            .iter()
            .map(|(timer, (due, payload))| OpeningEntry::Timer(timer.clone(), *due, payload.clone()));
        keys.chain(pools).chain(timers)
    }

    /// Where tables differ from what was rebuilt, ascending: keys, pools, timers.
    pub fn differences(
        &self,
        keys: &BTreeMap<Key, StreamId>,
        pools: &BTreeMap<PoolKey, PoolLevel>,
        timers: &BTreeMap<TimerKey, Timestamp>,
    ) -> Vec<Difference> {
        let levels: BTreeMap<&PoolKey, PoolLevel> =
            self.pools.iter().map(|(pool, net)| (pool, net.total())).collect();
        let of_keys = union(keys, &self.keys).filter_map(|key| {
            let (stored, known) = (keys.get(key), self.keys.get(key));
            let (derived, subject) = (known.map(|(owner, _)| owner), known.and_then(|(_, subject)| *subject));
            (stored != derived).then(|| Difference::Key {
                key: key.clone(),
                stored: stored.cloned(),
                derived: derived.cloned(),
                subject,
            })
        });
        let of_pools = union(pools, &self.pools).filter_map(|pool| {
            // A pool that was never moved is all zeros.
            let stored = pools.get(pool).copied().unwrap_or_default();
            let derived = levels.get(pool).copied().unwrap_or_default();
            (stored != derived).then(|| Difference::Pool { pool: pool.clone(), stored, derived })
        });
        let of_timers = union(timers, &self.timers).filter_map(|timer| {
            let (stored, known) = (timers.get(timer).copied(), self.timers.get(timer));
            let derived = known.map(|(due, _)| *due);
            (stored != derived).then(|| Difference::Timer {
                timer: timer.clone(),
                stored,
                derived,
                payload: known.map_or_else(|| Arc::from(&[][..]), |(_, payload)| payload.clone()),
            })
        });
        of_keys.chain(of_pools).chain(of_timers).collect()
    }
}

/// The keys of two maps, each once, ascending.
fn union<'m, K: Ord, V, W>(
    left: &'m BTreeMap<K, V>,
    right: &'m BTreeMap<K, W>,
) -> impl Iterator<Item = &'m K> {
    left.keys().chain(right.keys()).collect::<BTreeSet<&K>>().into_iter()
}

/// The moves that lead from one level of a pool to another. None of them is refused: they state what the
/// log says, whatever the floor.
pub fn moves_between(from: PoolLevel, to: PoolLevel) -> Vec<PoolOp> {
    let (held, allocated) = (to.held.saturating_sub(from.held), to.allocated.saturating_sub(from.allocated));
    let mut moves = Vec::new();
    let above = |amount| PoolOp::HoldAbove { amount, floor: i64::MIN };
    if held > 0 {
        moves.push(above(held.unsigned_abs()));
    } else if held < 0 {
        moves.push(PoolOp::Release(held.unsigned_abs()));
    }
    if allocated > 0 {
        moves.extend([above(allocated.unsigned_abs()), PoolOp::Allocate(allocated.unsigned_abs())]);
    } else if allocated < 0 {
        moves.push(PoolOp::Return(allocated.unsigned_abs()));
    }
    // What the moves above took from what is available, or gave back, is put right again.
    let available = to.available.saturating_sub(from.available);
    let correct = available.saturating_add(held).saturating_add(allocated);
    if correct != 0 {
        moves.push(PoolOp::Correct(correct));
    }
    if to.floor != from.floor {
        moves.push(PoolOp::Floor(to.floor));
    }
    moves
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn level() -> impl Strategy<Value = PoolLevel> {
        (-50..50_i64, 0..50_i64, 0..50_i64, -20..20_i64)
            .prop_map(|(available, held, allocated, floor)| PoolLevel { available, held, allocated, floor })
    }

    /// A key, a pool and a timer, as an archive keeps them.
    fn opening() -> impl Strategy<Value = Vec<OpeningEntry>> {
        let id = || (1..u128::MAX).prop_map(uuid::Uuid::from_u128);
        let owner = || id().prop_map(|id| StreamId::new("order", id));
        let key = (owner(), proptest::option::of(id())).prop_map(|(owner, subject)| {
            let subject = subject.and_then(|id| Id::from_uuid(id).ok());
            OpeningEntry::Key(UniqueKey { key: Key::new("number", owner.id.to_string()), owner, subject })
        });
        let pool =
            (id(), level()).prop_map(|(id, level)| OpeningEntry::Pool(PoolKey::new(id.to_string()), level));
        let timer = (owner(), 0..1_000_000_i64).prop_map(|(owner, at)| {
            let due = Timestamp::from_micros(at).unwrap_or_else(|_| unreachable!());
            OpeningEntry::Timer(TimerKey::new(owner, "due"), due, Arc::from(&b"{}"[..]))
        });
        (key, pool, timer).prop_map(|(key, pool, timer)| vec![key, pool, timer])
    }

    proptest! {
        #[test]
        fn moves_lead_from_any_level_to_any_other(from in level(), to in level()) {
            let mut net = NetMove::default();
            for op in moves_between(from, to) {
                net.add(op);
            }
            prop_assert_eq!(net.apply(from), Ok(to));
        }

        #[test]
        fn what_was_archived_opens_as_it_was(entries in opening()) {
            let mut rebuilt = Rebuilt::default();
            entries.iter().cloned().for_each(|entry| rebuilt.open(entry));
            prop_assert_eq!(rebuilt.entries().collect::<Vec<_>>(), entries);
        }
    }
}
