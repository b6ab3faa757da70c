//! Moves of pools, and commits over a small world.

use std::sync::Arc;
use std::time::Duration;

use commerce_core::kernel::commit::{Append, Commit, Expect};
use commerce_core::kernel::event::{EventId, NewEvent};
use commerce_core::kernel::mark::{Fingerprint, Mark, MarkKey};
use commerce_core::kernel::personal::PersonalValue;
use commerce_core::kernel::pool::{PoolKey, PoolLevel, PoolMove, PoolOp};
use commerce_core::kernel::stream::{StreamId, Version};
use commerce_core::kernel::timer::{TimerKey, TimerWrite};
use commerce_core::kernel::unique::UniqueKey;
use commerce_core::value::id::SubjectId;
use commerce_core::value::time::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use uuid::Uuid;

use crate::build;
use crate::fake::START;

/// One of six streams of two kinds.
pub fn stream() -> impl Strategy<Value = StreamId> {
    let kind = prop_oneof![Just("order"), Just("order-line")];
    (kind, 1_u128..4).prop_map(|(kind, number)| StreamId::new(kind, Uuid::from_u128(number)))
}

/// One of three data subjects.
pub fn subject() -> impl Strategy<Value = SubjectId> {
    (0_u8..3).prop_map(|number| SubjectId::derived(Uuid::nil(), &[number]))
}

/// One of four pools.
pub fn pool() -> impl Strategy<Value = PoolKey> {
    prop_oneof![Just("a"), Just("a-b"), Just("a:b"), Just("B")].prop_map(PoolKey::new)
}

/// A move of small amounts, of every kind.
pub fn pool_op() -> impl Strategy<Value = PoolOp> {
    prop_oneof![
        3 => (-6_i64..9).prop_map(PoolOp::Supply),
        1 => (-6_i64..9).prop_map(PoolOp::Correct),
        3 => (0_u64..5).prop_map(PoolOp::Hold),
        1 => (0_u64..5, -6_i64..3).prop_map(|(amount, floor)| PoolOp::HoldAbove { amount, floor }),
        2 => (0_u64..5).prop_map(PoolOp::Release),
        2 => (0_u64..5).prop_map(PoolOp::Allocate),
        1 => (0_u64..5).prop_map(PoolOp::Consume),
        1 => (0_u64..5).prop_map(PoolOp::Return),
        1 => (-6_i64..4).prop_map(PoolOp::Floor),
    ]
}

/// A move of any amount.
pub fn extreme_pool_op() -> impl Strategy<Value = PoolOp> {
    prop_oneof![
        any::<i64>().prop_map(PoolOp::Supply),
        any::<i64>().prop_map(PoolOp::Correct),
        any::<u64>().prop_map(PoolOp::Hold),
        (any::<u64>(), any::<i64>()).prop_map(|(amount, floor)| PoolOp::HoldAbove { amount, floor }),
        any::<u64>().prop_map(PoolOp::Release),
        any::<u64>().prop_map(PoolOp::Allocate),
        any::<u64>().prop_map(PoolOp::Consume),
        any::<u64>().prop_map(PoolOp::Return),
        any::<i64>().prop_map(PoolOp::Floor),
    ]
}

/// A level that moves can lead to.
pub fn pool_level() -> impl Strategy<Value = PoolLevel> {
    (-9_i64..20, 0_i64..9, 0_i64..9, -9_i64..5).prop_map(|(available, held, allocated, floor)| PoolLevel {
        available,
        held,
        allocated,
        floor,
    })
}

/// A move of one of the pools.
pub fn pool_move() -> impl Strategy<Value = PoolMove> {
    (pool(), pool_op()).prop_map(|(pool, op)| PoolMove::new(pool, op))
}

/// A key of one of two scopes and its owner, sometimes personal.
pub fn unique_key() -> impl Strategy<Value = UniqueKey> {
    let name = prop_oneof![Just("k"), Just("l"), Just("K"), Just("m")];
    (name, stream(), option::weighted(0.3, subject())).prop_map(|(name, owner, subject)| UniqueKey {
        key: build::key(name),
        owner,
        subject,
    })
}

/// A time within two hours of [`START`].
pub fn time() -> impl Strategy<Value = Timestamp> {
    (0_u64..7200)
        .prop_map(|seconds| START.minus(Duration::from_secs(3600)).plus(Duration::from_secs(seconds)))
}

/// A write of one of few timers.
pub fn timer_write() -> impl Strategy<Value = TimerWrite> {
    let name = prop_oneof![Just("expiry"), Just("reminder")];
    (name, stream(), option::weighted(0.7, time())).prop_map(|(name, stream, due)| {
        let key = TimerKey::new(stream, name);
        match due {
            Some(due) => TimerWrite::Set { key, due, payload: Arc::from(name.as_bytes()) },
            None => TimerWrite::Cancel { key },
        }
    })
}

/// A mark of one of few commands; two requests in six share a key.
pub fn mark() -> impl Strategy<Value = Mark> {
    (0_u8..6, 1_u16..3, 0_u8..2).prop_map(|(id, version, request)| Mark {
        key: MarkKey::new("command", format!("{id}")),
        fingerprint: Fingerprint::of(version, &[request]),
        result: Arc::from(&[id, request][..]),
    })
}

/// An event with up to two personal values; its id is drawn, so that shrinking keeps it.
pub fn event() -> impl Strategy<Value = NewEvent> {
    (1_u128.., vec((subject(), "[a-z]{1,4}"), 0..3)).prop_map(|(id, values)| {
        let personal = (0_u16..).zip(values).map(|(field, (subject, text))| PersonalValue {
            field,
            subject,
            value: Some(Arc::from(format!("\"{text}\"").into_bytes())),
        });
        let id = EventId::from_uuid(Uuid::from_u128(id)).unwrap_or(EventId::derived(Uuid::nil(), b""));
        NewEvent { id, personal: personal.collect(), ..build::event() }
    })
}

/// What a commit does to streams: expectations are drawn as distances from the head.
#[derive(Debug, Clone)]
pub struct Draft {
    appends: Vec<(StreamId, i8, Vec<NewEvent>, bool)>,
    expects: Vec<(StreamId, i8)>,
    rest: Commit,
}

impl Draft {
    /// The commit, given where every stream is.
    ///
    /// Most commits expect the head and pass the check of versions; some do not. All are well formed.
    pub fn on(&self, head: impl Fn(&StreamId) -> Version) -> Commit {
        let near = |stream: &StreamId, distance: i8| {
            Version::new(head(stream).get().saturating_add_signed(i64::from(distance)))
        };
        let mut commit = self.rest.clone();
        for (stream, distance, events, snapshot) in &self.appends {
            if commit.append.iter().any(|append| append.stream == *stream) {
                continue;
            }
            let expected = near(stream, *distance);
            let last = expected.after(events.len());
            let snapshot = snapshot.then(|| build::snapshot(last.get(), 1, &format!("{stream} at {last}")));
            commit.append.push(Append { stream: stream.clone(), expected, events: events.clone(), snapshot });
        }
        for (stream, distance) in &self.expects {
            commit.expect.push(Expect { stream: stream.clone(), version: near(stream, *distance) });
        }
        commit
    }
}

fn distance() -> impl Strategy<Value = i8> {
    prop_oneof![12 => Just(0_i8), 1 => Just(-1), 1 => Just(1)]
}

/// A commit with some of every part but leases and fences, which depend on what a store gave out.
pub fn draft() -> impl Strategy<Value = Draft> {
    let append = (stream(), distance(), vec(event(), 1..4), any::<bool>());
    let keys = (vec(unique_key(), 0..3), vec(unique_key(), 0..3));
    let rest = (keys, vec(pool_move(), 0..5), vec(timer_write(), 0..3), option::weighted(0.3, mark()));
    let erase = prop_oneof![9 => vec(subject(), 0..1), 1 => vec(subject(), 1..2)];
    (vec(append, 0..3), vec((stream(), distance()), 0..2), rest, erase).prop_map(
        |(appends, expects, ((claim, release), moves, timers, mark), erase)| Draft {
            appends,
            expects,
            rest: Commit { claim, release, moves, timers, mark, erase, ..Commit::default() },
        },
    )
}

/// A draft that a store accepts unless a wild one has come in its way: at the heads, under a mark of its
/// own, on keys of its own stream, and with moves of units that it brings along.
pub fn tame_draft() -> impl Strategy<Value = Draft> {
    (draft(), any::<u64>()).prop_map(|(mut draft, number)| {
        draft.appends.iter_mut().for_each(|append| append.1 = 0);
        draft.expects.iter_mut().for_each(|expect| expect.1 = 0);
        if let Some(mark) = &mut draft.rest.mark {
            mark.key = MarkKey::new("command", format!("tame-{number}"));
        }
        for key in draft.rest.claim.iter_mut().chain(&mut draft.rest.release) {
            key.owner = build::stream(&key.key.key);
        }
        let moves = std::mem::take(&mut draft.rest.moves);
        draft.rest.moves = moves.into_iter().flat_map(|step| covered(&step)).collect();
        draft
    })
}

/// A move, and in front of it what it takes.
fn covered(step: &PoolMove) -> Vec<PoolMove> {
    use PoolOp::{Allocate, Consume, Correct, Floor, Hold, HoldAbove, Release, Return, Supply};
    let units = |n: u64| Supply(i64::try_from(n).unwrap_or(i64::MAX));
    let ops = match step.op {
        Supply(n) | Correct(n) => vec![Supply(n.saturating_abs())],
        Hold(n) => vec![units(n), Hold(n)],
        HoldAbove { amount, floor } => vec![units(amount), HoldAbove { amount, floor }],
        Release(n) => vec![units(n), Hold(n), Release(n)],
        Allocate(n) => vec![units(n), Hold(n), Allocate(n)],
        Consume(n) => vec![units(n), Hold(n), Allocate(n), Consume(n)],
        Return(n) => vec![units(n), Hold(n), Allocate(n), Return(n)],
        Floor(floor) => vec![Floor(floor.min(0))],
    };
    ops.into_iter().map(|op| PoolMove::new(step.pool.clone(), op)).collect()
}

/// Mostly tame drafts, and wild ones in between.
pub fn mixed_draft() -> impl Strategy<Value = Draft> {
    prop_oneof![3 => tame_draft(), 1 => draft()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use commerce_core::kernel::pool::NetMove;
    use proptest::prelude::{ProptestConfig, prop_assert, prop_assert_eq, proptest};

    fn net(ops: &[PoolOp]) -> NetMove {
        let mut net = NetMove::default();
        for op in ops {
            net.add(*op);
        }
        net
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn only_supply_correct_and_consume_change_what_is_there(
            level in pool_level(),
            ops in vec(pool_op(), 0..6),
        ) {
            let change: i64 = ops.iter().map(|op| match op {
                PoolOp::Supply(n) | PoolOp::Correct(n) => *n,
                PoolOp::Consume(n) => -n.cast_signed(),
                _ => 0,
            }).sum();
            if let Ok(after) = net(&ops).apply(level) {
                prop_assert_eq!(after.physical(), level.physical() + change);
                prop_assert!(after.held >= 0 && after.allocated >= 0);
            }
        }

        #[test]
        fn the_order_of_moves_matters_only_for_floors(
            level in pool_level(),
            ops in vec(pool_op(), 0..6),
        ) {
            let mut turned: Vec<PoolOp> = ops.clone();
            turned.retain(|op| !matches!(op, PoolOp::Floor(_)));
            let forward = net(&turned).apply(level);
            turned.reverse();
            prop_assert_eq!(net(&turned).apply(level), forward);
        }

        #[test]
        fn extremes_never_panic(ops in vec(extreme_pool_op(), 0..6), level in pool_level()) {
            let _ = net(&ops).apply(level);
        }

        #[test]
        fn drafts_are_well_formed(draft in draft()) {
            let commit = draft.on(|_| Version::new(3));
            prop_assert!(commit.append.iter().all(|append| !append.events.is_empty()));
        }
    }
}
