//! Pools as the events of the log make them, in plain arithmetic and without guards.

use std::collections::{BTreeMap, BTreeSet};

use commerce_core::kernel::pool::{PoolKey, PoolLevel, PoolMove, PoolOp};

/// The levels, and below what they must not fall.
#[derive(Debug, Default)]
pub(super) struct Pools {
    levels: BTreeMap<PoolKey, PoolLevel>,
    /// The lowest floor that a hold carried along.
    carried: BTreeMap<PoolKey, i64>,
    /// Pools that a count or a raised floor may leave short.
    excused: BTreeSet<PoolKey>,
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl Pools {
    pub(super) fn apply(&mut self, step: PoolMove) {
        let PoolMove { pool, op } = step;
        match op {
            PoolOp::HoldAbove { floor, .. } => {
                let lowest = self.carried.entry(pool.clone()).or_insert(floor);
                *lowest = floor.min(*lowest);
            }
            PoolOp::Correct(_) | PoolOp::Floor(_) => {
                self.excused.insert(pool.clone());
            }
            _ => {}
        }
        let level = self.levels.entry(pool).or_default();
        match op {
            PoolOp::Supply(n) | PoolOp::Correct(n) => level.available = level.available.saturating_add(n),
            PoolOp::Hold(n) | PoolOp::HoldAbove { amount: n, .. } => {
                level.available = level.available.saturating_sub(signed(n));
                level.held = level.held.saturating_add(signed(n));
            }
            PoolOp::Release(n) => {
                level.held = level.held.saturating_sub(signed(n));
                level.available = level.available.saturating_add(signed(n));
            }
            PoolOp::Allocate(n) => {
                level.held = level.held.saturating_sub(signed(n));
                level.allocated = level.allocated.saturating_add(signed(n));
            }
            PoolOp::Consume(n) => level.allocated = level.allocated.saturating_sub(signed(n)),
            PoolOp::Return(n) => {
                level.allocated = level.allocated.saturating_sub(signed(n));
                level.available = level.available.saturating_add(signed(n));
            }
            PoolOp::Floor(floor) => level.floor = floor,
        }
    }

    pub(super) fn level(&self, pool: &PoolKey) -> PoolLevel {
        self.levels.get(pool).copied().unwrap_or_default()
    }

    pub(super) const fn levels(&self) -> &BTreeMap<PoolKey, PoolLevel> {
        &self.levels
    }

    /// What is wrong with a pool, if anything.
    pub(super) fn fault(&self, pool: &PoolKey) -> Option<String> {
        let level = self.level(pool);
        if level.held < 0 || level.allocated < 0 {
            return Some(format!("{pool} has given back more than it gave: {level:?}"));
        }
        let guard = self.carried.get(pool).copied().unwrap_or(level.floor).min(level.floor);
        if level.available < guard && !self.excused.contains(pool) {
            return Some(format!("{pool} has promised more than there is: {level:?}, floor {guard}"));
        }
        None
    }
}
