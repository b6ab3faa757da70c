//! Pools: guards, and what a move does.

use std::collections::BTreeMap;

use commerce_core::kernel::commit::Commit;
use commerce_core::kernel::error::{CommitError, MAX_SHORTAGES, Shortage};
use commerce_core::kernel::pool::{NetMove, PoolKey, PoolLevel, PoolMove, PoolOp, PoolRefusal};

use super::flaw::Break;
use super::state::State;

impl State {
    /// The level of a pool.
    pub(super) fn level(&self, pool: &PoolKey) -> PoolLevel {
        let full = PoolLevel { available: 1000, ..PoolLevel::default() };
        let missing = if self.has(Break::MissingPoolIsFull) { full } else { PoolLevel::default() };
        self.pools.get(pool).copied().unwrap_or(missing)
    }

    pub(super) fn check_pools(&self, commit: &Commit) -> Result<(), CommitError> {
        let mut by_pool: BTreeMap<&PoolKey, Vec<PoolOp>> = BTreeMap::new();
        for PoolMove { pool, op } in &commit.moves {
            by_pool.entry(pool).or_default().push(*op);
        }
        let (mut short, mut unbalanced) = (Vec::new(), Vec::new());
        for (pool, ops) in by_pool {
            let level = self.level(pool);
            match self.guard(level, &ops) {
                Ok(()) => {}
                Err(PoolRefusal::Unbalanced) => unbalanced.push(pool),
                Err(PoolRefusal::Short { wanted, available }) => {
                    let whole = self.has(Break::ReportsAvailableWithoutFloor);
                    let available = if whole { level.available } else { available };
                    short.push(Shortage { pool: pool.clone(), wanted, available });
                }
            }
        }
        let named = if self.has(Break::NamesLastUnbalanced) { unbalanced.last() } else { unbalanced.first() };
        if let Some(pool) = named {
            return Err(CommitError::Unbalanced((*pool).clone()));
        }
        if short.is_empty() {
            return Ok(());
        }
        match self.flaw {
            Some(Break::NamesOneShort) => short.truncate(1),
            Some(Break::ShortUnsorted) => {
                short.sort_by_key(|shortage| commit.moves.iter().position(|step| step.pool == shortage.pool));
            }
            Some(Break::ShortUnbounded) => {}
            _ => short.truncate(MAX_SHORTAGES),
        }
        Err(CommitError::Short(short))
    }

    /// Whether a pool takes these moves.
    fn guard(&self, mut level: PoolLevel, ops: &[PoolOp]) -> Result<(), PoolRefusal> {
        if self.has(Break::FloorIsAtLeastZero) {
            level.floor = level.floor.max(0);
        }
        let mut net = NetMove::default();
        for op in ops {
            let Some(op) = self.guarded(level, *op)? else { continue };
            if self.has(Break::GuardsEachMove) {
                net = NetMove::default();
                net.add(op);
                level = net.apply(level)?;
            } else {
                net.add(op);
            }
        }
        if self.has(Break::GuardsEachMove) {
            return Ok(());
        }
        match net.apply(level) {
            Err(PoolRefusal::Unbalanced) if self.has(Break::SumsSaturate) && huge(level, ops) => Ok(()),
            result => result.map(|_| ()),
        }
    }

    /// The move that is guarded in place of this one, if any.
    fn guarded(&self, level: PoolLevel, op: PoolOp) -> Result<Option<PoolOp>, PoolRefusal> {
        Ok(match (self.flaw, op) {
            (Some(Break::HoldUnguarded), PoolOp::Hold(_))
            | (Some(Break::SupplyUnguarded), PoolOp::Supply(..0))
            | (Some(Break::ReleaseUnguarded), PoolOp::Release(_))
            | (Some(Break::AllocateUnguarded), PoolOp::Allocate(_))
            | (Some(Break::ConsumeUnguarded), PoolOp::Consume(_))
            | (Some(Break::ReturnUnguarded), PoolOp::Return(_)) => None,
            (Some(Break::IgnoresCarriedFloor), PoolOp::HoldAbove { amount, .. }) => {
                Some(PoolOp::Hold(amount))
            }
            (Some(Break::CorrectGuarded), PoolOp::Correct(n)) => Some(PoolOp::Supply(n)),
            (Some(Break::ConsumesBackorders), PoolOp::Consume(n)) => Some(PoolOp::Return(n)),
            (Some(Break::FloorGuarded), PoolOp::Floor(floor)) if floor > level.available => {
                return Err(PoolRefusal::Short { wanted: 0, available: 0 });
            }
            _ => Some(op),
        })
    }

    /// What a move does, guarded or not.
    pub(super) fn moved(&self, before: PoolLevel, op: PoolOp) -> PoolLevel {
        let PoolLevel { available, held, allocated, .. } = before;
        let lost = matches!(
            (self.flaw, op),
            (Some(Break::LosesSupply), PoolOp::Supply(_))
                | (Some(Break::LosesCorrect), PoolOp::Correct(_))
                | (Some(Break::LosesHold), PoolOp::Hold(_))
                | (Some(Break::LosesHoldAbove), PoolOp::HoldAbove { .. })
                | (Some(Break::LosesRelease), PoolOp::Release(_))
                | (Some(Break::LosesAllocate), PoolOp::Allocate(_))
                | (Some(Break::LosesConsume), PoolOp::Consume(_))
                | (Some(Break::LosesReturn), PoolOp::Return(_))
                | (Some(Break::LosesFloor), PoolOp::Floor(_))
        );
        if lost {
            return before;
        }
        // Wrapping, so that the order of moves whose sum fits does not matter.
        let plus = |level: i64, n: i64| {
            if self.has(Break::SumsSaturate) { level.saturating_add(n) } else { level.wrapping_add(n) }
        };
        let minus = |level: i64, n: u64| level.wrapping_sub(n.cast_signed());
        match op {
            PoolOp::Supply(n) | PoolOp::Correct(n) => PoolLevel { available: plus(available, n), ..before },
            PoolOp::Hold(n) | PoolOp::HoldAbove { amount: n, .. } => {
                PoolLevel { available: minus(available, n), held: plus(held, n.cast_signed()), ..before }
            }
            PoolOp::Release(n) => {
                PoolLevel { held: minus(held, n), available: plus(available, n.cast_signed()), ..before }
            }
            PoolOp::Allocate(n) => {
                PoolLevel { held: minus(held, n), allocated: plus(allocated, n.cast_signed()), ..before }
            }
            PoolOp::Consume(n) => PoolLevel { allocated: minus(allocated, n), ..before },
            PoolOp::Return(n) => PoolLevel {
                allocated: minus(allocated, n),
                available: plus(available, n.cast_signed()),
                ..before
            },
            PoolOp::Floor(floor) => PoolLevel { floor, ..before },
        }
    }
}

/// Whether sums may leave 64 bits.
fn huge(level: PoolLevel, ops: &[PoolOp]) -> bool {
    let large = |n: i64| n.unsigned_abs() > 1 << 62;
    large(level.available)
        || ops.iter().any(|op| matches!(op, PoolOp::Supply(n) | PoolOp::Correct(n) if large(*n)))
}
