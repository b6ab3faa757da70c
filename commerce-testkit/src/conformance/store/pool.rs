//! Pools: what each move does, and that a commit counts by its sum.

use std::collections::BTreeMap;

use commerce_core::kernel::commit::Commit;
use commerce_core::kernel::error::{CommitError, Shortage};
use commerce_core::kernel::pool::{NetMove, PoolLevel, PoolOp, PoolRefusal};

use crate::build::{Draft, pool};
use crate::conformance::fixture::Fixture;
use crate::conformance::outcome::{Failure, Outcome, equal};
use crate::fake::mix;

pub(crate) const fn level(available: i64, held: i64, allocated: i64, floor: i64) -> PoolLevel {
    PoolLevel { available, held, allocated, floor }
}

/// Moves the pool `p`, each move in a commit of its own.
pub(crate) async fn steps(f: &Fixture, ops: &[PoolOp]) -> Result<(), Failure> {
    for op in ops {
        f.commit(Commit::default().moves("p", *op)).await?;
    }
    Ok(())
}

async fn leads_to(f: &Fixture, ops: &[PoolOp], expected: PoolLevel) -> Outcome {
    steps(f, ops).await?;
    equal(&format!("the pool after {ops:?}"), f.level("p").await?, expected)
}

pub(crate) async fn pool_that_was_never_moved_is_zeros(f: &Fixture) -> Outcome {
    equal("a missing pool", f.level("p").await?, PoolLevel::default())?;
    let refused = f.store().commit(Commit::default().moves("p", PoolOp::Hold(1))).await;
    let short = Shortage { pool: pool("p"), wanted: 1, available: 0 };
    equal("a hold on a missing pool", refused, Err(CommitError::Short(vec![short])))
}

pub(crate) async fn pool_supply_moves_available(f: &Fixture) -> Outcome {
    leads_to(f, &[PoolOp::Supply(10), PoolOp::Supply(-3)], level(7, 0, 0, 0)).await
}

pub(crate) async fn pool_correct_moves_available(f: &Fixture) -> Outcome {
    leads_to(f, &[PoolOp::Correct(4), PoolOp::Correct(-7)], level(-3, 0, 0, 0)).await
}

pub(crate) async fn pool_hold_moves_available_to_held(f: &Fixture) -> Outcome {
    leads_to(f, &[PoolOp::Supply(10), PoolOp::Hold(4)], level(6, 4, 0, 0)).await
}

pub(crate) async fn pool_hold_above_moves_available_to_held(f: &Fixture) -> Outcome {
    leads_to(f, &[PoolOp::HoldAbove { amount: 2, floor: -2 }], level(-2, 2, 0, 0)).await
}

pub(crate) async fn pool_release_moves_held_to_available(f: &Fixture) -> Outcome {
    let ops = [PoolOp::Supply(10), PoolOp::Hold(4), PoolOp::Release(3)];
    leads_to(f, &ops, level(9, 1, 0, 0)).await
}

pub(crate) async fn pool_allocate_moves_held_to_allocated(f: &Fixture) -> Outcome {
    let ops = [PoolOp::Supply(10), PoolOp::Hold(4), PoolOp::Allocate(3)];
    leads_to(f, &ops, level(6, 1, 3, 0)).await
}

pub(crate) async fn pool_consume_takes_from_allocated(f: &Fixture) -> Outcome {
    let ops = [PoolOp::Supply(10), PoolOp::Hold(4), PoolOp::Allocate(4), PoolOp::Consume(3)];
    leads_to(f, &ops, level(6, 0, 1, 0)).await
}

pub(crate) async fn pool_return_moves_allocated_to_available(f: &Fixture) -> Outcome {
    let ops = [PoolOp::Supply(10), PoolOp::Hold(4), PoolOp::Allocate(4), PoolOp::Return(3)];
    leads_to(f, &ops, level(9, 0, 1, 0)).await
}

pub(crate) async fn pool_floor_sets_the_floor(f: &Fixture) -> Outcome {
    leads_to(f, &[PoolOp::Floor(-5), PoolOp::Hold(5), PoolOp::Floor(2)], level(-5, 5, 0, 2)).await
}

pub(crate) async fn pool_moves_of_a_commit_are_summed(f: &Fixture) -> Outcome {
    let (hold, supply) = (PoolOp::Hold(5), PoolOp::Supply(10));
    f.commit(Commit::default().moves("p", hold).moves("p", supply)).await?;
    equal("a hold before the supply of the same commit", f.level("p").await?, level(5, 5, 0, 0))?;
    let together = f.store().commit(Commit::default().moves("p", PoolOp::Hold(3)).moves("p", hold)).await;
    let short = Shortage { pool: pool("p"), wanted: 8, available: 5 };
    equal("two holds, each of which would pass alone", together, Err(CommitError::Short(vec![short])))?;
    let through = [PoolOp::Consume(2), PoolOp::Allocate(2), PoolOp::Hold(2)];
    f.commit(through.into_iter().fold(Commit::default(), |commit, op| commit.moves("p", op))).await?;
    equal("hold, allocate and consume in one commit", f.level("p").await?, level(3, 5, 0, 0))
}

pub(crate) async fn pool_transfer_in_one_commit(f: &Fixture) -> Outcome {
    f.commit(Commit::default().moves("p", PoolOp::Supply(5))).await?;
    f.commit(Commit::default().moves("p", PoolOp::Supply(-2)).moves("q", PoolOp::Supply(2))).await?;
    equal("both pools", (f.level("p").await?, f.level("q").await?), (level(3, 0, 0, 0), level(2, 0, 0, 0)))
}

/// A move that follows from a number; small amounts, so that all guards are met often.
fn any_op(random: u64) -> PoolOp {
    let small = (random >> 8) % 5;
    let signed = i64::try_from((random >> 16) % 13).unwrap_or(0) - 5;
    match random % 9 {
        0 => PoolOp::Supply(signed),
        1 => PoolOp::Correct(signed),
        2 => PoolOp::Release(small),
        3 => PoolOp::Allocate(small),
        4 => PoolOp::Consume(small),
        5 => PoolOp::Return(small),
        6 => PoolOp::Floor(signed.min(2)),
        7 => PoolOp::HoldAbove { amount: small, floor: signed.min(1) },
        _ => PoolOp::Hold(small),
    }
}

/// What the kernel's own rules make of a commit.
fn model(pools: &mut BTreeMap<String, PoolLevel>, moves: &[(String, PoolOp)]) -> Result<(), CommitError> {
    let mut nets: BTreeMap<&str, NetMove> = BTreeMap::new();
    for (name, op) in moves {
        nets.entry(name).or_default().add(*op);
    }
    let (mut short, mut after) = (Vec::new(), Vec::new());
    for (name, net) in nets {
        match net.apply(pools.get(name).copied().unwrap_or_default()) {
            Ok(level) => after.push((name.to_owned(), level)),
            Err(PoolRefusal::Unbalanced) => return Err(CommitError::Unbalanced(pool(name))),
            Err(PoolRefusal::Short { wanted, available }) => {
                short.push(Shortage { pool: pool(name), wanted, available });
            }
        }
    }
    if !short.is_empty() {
        return Err(CommitError::Short(short));
    }
    pools.extend(after);
    Ok(())
}

pub(crate) async fn pool_agrees_with_the_kernel_on_random_moves(f: &Fixture) -> Outcome {
    let mut pools = BTreeMap::new();
    let mut state = 20_110_104;
    let mut draw = move || {
        state = mix(state);
        state
    };
    for _ in 0..400 {
        // Several moves of one pool, so that a refusal is either Short or Unbalanced, never both.
        let name = format!("p{}", draw() % 3);
        let moves: Vec<_> = (0..=draw() % 3).map(|_| (name.clone(), any_op(draw()))).collect();
        let mut commit = Commit::default();
        for (name, op) in &moves {
            commit = commit.moves(name, *op);
        }
        let before = pools.get(&name).copied().unwrap_or_default();
        let expected = model(&mut pools, &moves);
        let what = format!("{moves:?} on {before:?}");
        equal(&what, f.store().commit(commit).await.map(|_| ()), expected)?;
        equal(&what, f.level(&name).await?, pools.get(&name).copied().unwrap_or_default())?;
    }
    Ok(())
}
