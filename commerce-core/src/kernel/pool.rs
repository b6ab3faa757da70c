//! Pools: scarce, countable things that are held, then consumed or given back.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::{CommitError, MAX_SHORTAGES, Shortage};

/// Names a pool, for example `stock:MUG@<location>` or `coupon:<promotion>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct PoolKey(Arc<str>);

impl PoolKey {
    /// Names a pool.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for PoolKey {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl From<PoolKey> for String {
    fn from(key: PoolKey) -> Self {
        key.0.as_ref().to_owned()
    }
}

impl fmt::Display for PoolKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a pool holds, in units of whatever it counts. A pool that was never moved is all zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PoolLevel {
    /// Free to be held; may be below zero after a `correct` or down to a negative floor.
    pub available: i64,
    /// Held for somebody who has not paid yet.
    pub held: i64,
    /// Promised for good, not yet gone.
    pub allocated: i64,
    /// The lowest `available` that a hold may leave: safety stock minus backorder limit.
    pub floor: i64,
}

impl PoolLevel {
    /// What is physically there: available + held + allocated.
    pub const fn physical(self) -> i64 {
        self.available.saturating_add(self.held).saturating_add(self.allocated)
    }

    /// How much can still be held: available − floor, at least zero.
    pub const fn holdable(self) -> i64 {
        let free = self.available.saturating_sub(self.floor);
        if free < 0 { 0 } else { free }
    }
}

/// One way to move a pool. Amounts are ≥ 0 except where the sign is stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PoolOp {
    /// available ± n; a decrease may not pass the floor.
    Supply(i64),
    /// available ± n by a counted fact; never refused.
    Correct(i64),
    /// available − n, held + n; guarded by the pool's floor.
    Hold(u64),
    /// Like [`Self::Hold`], guarded by the floor that the move carries instead of the pool's.
    HoldAbove {
        /// How much.
        amount: u64,
        /// The lowest `available` that this hold may leave.
        floor: i64,
    },
    /// held − n, available + n.
    Release(u64),
    /// held − n, allocated + n.
    Allocate(u64),
    /// allocated − n: the units leave.
    Consume(u64),
    /// allocated − n, available + n.
    Return(u64),
    /// Sets the floor; only the pool's owner does this.
    Floor(i64),
}

/// A move of one pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolMove {
    /// The pool.
    pub pool: PoolKey,
    /// What happens to it.
    pub op: PoolOp,
}

impl PoolMove {
    /// A move of this pool.
    pub const fn new(pool: PoolKey, op: PoolOp) -> Self {
        Self { pool, op }
    }
}

/// Why a pool refuses the net of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolRefusal {
    /// Less is available above the floor than wanted.
    Short {
        /// Net units wanted.
        wanted: i64,
        /// Units available above the floor before the commit.
        available: i64,
    },
    /// More would be released, allocated, consumed or returned than is held or allocated.
    Unbalanced,
}

/// The net of all moves of one pool in one commit; guards apply to it, not to single moves.
///
/// Every adapter uses this type or repeats its rules in its own language; the conformance suite
/// compares the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NetMove {
    available: i128,
    guarded: i128,
    held: i128,
    allocated: i128,
    holds: bool,
    consumes: bool,
    carried_floor: Option<i64>,
    floor: Option<i64>,
}

/// The sums of a [`NetMove`], for a store that applies them in its own language.
///
/// The rules stand at [`NetMove::apply`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct NetSums {
    /// What is added to `available`.
    pub available: i128,
    /// The part of it that the floor guards: where it is below zero, `available` may not pass the floor.
    pub guarded: i128,
    /// What is added to `held`.
    pub held: i128,
    /// What is added to `allocated`.
    pub allocated: i128,
    /// The floor that a hold carries, to check against instead of the pool's.
    pub guard: Option<i64>,
    /// The floor to set.
    pub floor: Option<i64>,
    /// Whether units leave, so that they must be physically there.
    pub consumes: bool,
}

impl NetMove {
    /// Its sums, for a store that applies them in its own language.
    pub fn sums(&self) -> NetSums {
        NetSums {
            available: self.available,
            guarded: self.guarded,
            held: self.held,
            allocated: self.allocated,
            guard: self.carried_floor.filter(|_| self.holds),
            floor: self.floor,
            consumes: self.consumes,
        }
    }

    /// Adds one move.
    pub fn add(&mut self, op: PoolOp) {
        match op {
            PoolOp::Supply(n) => {
                self.available += i128::from(n);
                self.guarded += i128::from(n);
            }
            PoolOp::Correct(n) => self.available += i128::from(n),
            PoolOp::Hold(n) => self.hold(n),
            PoolOp::HoldAbove { amount, floor } => {
                self.hold(amount);
                self.carried_floor = Some(self.carried_floor.map_or(floor, |known| known.max(floor)));
            }
            PoolOp::Release(n) => {
                self.held -= i128::from(n);
                self.give(n);
            }
            PoolOp::Allocate(n) => {
                self.held -= i128::from(n);
                self.allocated += i128::from(n);
            }
            PoolOp::Consume(n) => {
                self.allocated -= i128::from(n);
                self.consumes |= n > 0;
            }
            PoolOp::Return(n) => {
                self.allocated -= i128::from(n);
                self.give(n);
            }
            PoolOp::Floor(floor) => self.floor = Some(floor),
        }
    }

    fn hold(&mut self, n: u64) {
        self.available -= i128::from(n);
        self.guarded -= i128::from(n);
        self.held += i128::from(n);
        self.holds |= n > 0;
    }

    fn give(&mut self, n: u64) {
        self.available += i128::from(n);
        self.guarded += i128::from(n);
    }

    /// What all moves together make of an empty pool, without guards: how a pool is rebuilt from the log,
    /// whose commits were guarded when they were made. Sums that leave 64 bits are cut.
    pub fn total(&self) -> PoolLevel {
        let cut = |value: i128| i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX });
        PoolLevel {
            available: cut(self.available),
            held: cut(self.held),
            allocated: cut(self.allocated),
            floor: self.floor.unwrap_or(0),
        }
    }

    /// The level after the commit.
    ///
    /// `available` is guarded only where the guarded moves take from it on balance; a `correct` beside
    /// them counts towards what is there.
    ///
    /// # Errors
    ///
    /// [`PoolRefusal`]; a sum that leaves 64 bits is `Unbalanced`.
    pub fn apply(&self, level: PoolLevel) -> Result<PoolLevel, PoolRefusal> {
        let fit = |value: i128| i64::try_from(value).map_err(|_| PoolRefusal::Unbalanced);
        let after = PoolLevel {
            available: fit(i128::from(level.available) + self.available)?,
            held: fit(i128::from(level.held) + self.held)?,
            allocated: fit(i128::from(level.allocated) + self.allocated)?,
            floor: self.floor.unwrap_or(level.floor),
        };
        if after.held < 0 || after.allocated < 0 {
            return Err(PoolRefusal::Unbalanced);
        }
        let physical = i128::from(after.available) + i128::from(after.held) + i128::from(after.allocated);
        if self.consumes && physical < 0 {
            return Err(PoolRefusal::Unbalanced);
        }
        let guard = self.carried_floor.filter(|_| self.holds).unwrap_or(after.floor);
        if self.guarded < 0 && after.available < guard {
            let corrected = self.available - self.guarded;
            let free = i128::from(level.available) + corrected - i128::from(guard);
            return Err(PoolRefusal::Short { wanted: fit(-self.guarded)?, available: fit(free.max(0))? });
        }
        Ok(after)
    }
}

/// What the moves of one commit make of the levels they meet, ascending by pool.
///
/// The net per pool counts. For stores that have the levels at hand.
///
/// # Errors
///
/// [`CommitError::Unbalanced`] with the smallest such pool, else [`CommitError::Short`] with all short
/// pools, at most [`MAX_SHORTAGES`].
pub fn apply_moves(
    moves: &[PoolMove],
    level: impl Fn(&PoolKey) -> PoolLevel,
) -> Result<Vec<(PoolKey, PoolLevel)>, CommitError> {
    let mut nets: BTreeMap<&PoolKey, NetMove> = BTreeMap::new();
    for step in moves {
        nets.entry(&step.pool).or_default().add(step.op);
    }
    let (mut short, mut unbalanced, mut levels) = (Vec::new(), None, Vec::with_capacity(nets.len()));
    for (pool, net) in nets {
        match net.apply(level(pool)) {
            Ok(after) => levels.push((pool.clone(), after)),
            Err(PoolRefusal::Short { wanted, available }) => {
                short.push(Shortage { pool: pool.clone(), wanted, available });
            }
            Err(PoolRefusal::Unbalanced) => unbalanced = unbalanced.or(Some(pool)),
        }
    }
    if let Some(pool) = unbalanced {
        return Err(CommitError::Unbalanced(pool.clone()));
    }
    if short.is_empty() {
        return Ok(levels);
    }
    short.truncate(MAX_SHORTAGES);
    Err(CommitError::Short(short))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(ops: &[PoolOp]) -> NetMove {
        let mut net = NetMove::default();
        for op in ops {
            net.add(*op);
        }
        net
    }

    const TEN: PoolLevel = PoolLevel { available: 10, held: 0, allocated: 0, floor: 0 };

    #[test]
    fn holds_of_one_commit_are_summed_before_the_guard() {
        let refused = net(&[PoolOp::Hold(6), PoolOp::Hold(5)]).apply(TEN);
        assert_eq!(refused, Err(PoolRefusal::Short { wanted: 11, available: 10 }));
        assert_eq!(net(&[PoolOp::Hold(6), PoolOp::Hold(4)]).apply(TEN).unwrap().held, 10);
    }

    #[test]
    fn the_carried_floor_replaces_the_pools() {
        let uses = net(&[PoolOp::HoldAbove { amount: 1, floor: -2 }]);
        let once = uses.apply(PoolLevel::default()).unwrap();
        let twice = uses.apply(once).unwrap();
        assert_eq!(uses.apply(twice), Err(PoolRefusal::Short { wanted: 1, available: 0 }));
    }

    #[test]
    fn a_count_is_never_refused_but_blocks_holds() {
        let low = net(&[PoolOp::Correct(-15)]).apply(TEN).unwrap();
        assert_eq!(low.available, -5);
        assert_eq!(net(&[PoolOp::Hold(1)]).apply(low), Err(PoolRefusal::Short { wanted: 1, available: 0 }));
        let held = PoolLevel { available: -5, held: 3, ..TEN };
        assert_eq!(net(&[PoolOp::Release(3)]).apply(held).unwrap().available, -2);
    }

    #[test]
    fn nothing_is_given_back_twice() {
        assert_eq!(net(&[PoolOp::Release(1)]).apply(TEN), Err(PoolRefusal::Unbalanced));
        assert_eq!(net(&[PoolOp::Consume(1)]).apply(TEN), Err(PoolRefusal::Unbalanced));
        assert_eq!(net(&[PoolOp::Return(1)]).apply(TEN), Err(PoolRefusal::Unbalanced));
    }

    #[test]
    fn a_backordered_unit_cannot_leave_before_it_is_there() {
        let backordered = PoolLevel { available: -2, held: 0, allocated: 2, floor: -5 };
        assert_eq!(net(&[PoolOp::Consume(2)]).apply(backordered), Err(PoolRefusal::Unbalanced));
        let arrived = net(&[PoolOp::Supply(2)]).apply(backordered).unwrap();
        assert_eq!(net(&[PoolOp::Consume(2)]).apply(arrived).unwrap().physical(), 0);
    }

    #[test]
    fn extremes_do_not_wrap() {
        let full = PoolLevel { available: i64::MAX, ..TEN };
        assert_eq!(net(&[PoolOp::Supply(1)]).apply(full), Err(PoolRefusal::Unbalanced));
    }
}
