//! Guards of pools: what each move may not do.

use commerce_core::kernel::commit::Commit;
use commerce_core::kernel::error::{CommitError, Shortage};
use commerce_core::kernel::pool::PoolOp;

use super::pool::{level, steps};
use crate::build::{Draft, pool};
use crate::conformance::fixture::Fixture;
use crate::conformance::outcome::{Outcome, equal};

async fn refuses(f: &Fixture, ops: &[PoolOp], expected: CommitError) -> Outcome {
    let before = f.level("p").await?;
    let commit = ops.iter().fold(Commit::default(), |commit, op| commit.moves("p", *op));
    equal(&format!("{ops:?} on {before:?}"), f.store().commit(commit).await, Err(expected))?;
    equal("the pool that refused", f.level("p").await?, before)
}

fn short(wanted: i64, available: i64) -> CommitError {
    CommitError::Short(vec![Shortage { pool: pool("p"), wanted, available }])
}

fn unbalanced() -> CommitError {
    CommitError::Unbalanced(pool("p"))
}

pub(crate) async fn guard_hold_stops_at_the_floor(f: &Fixture) -> Outcome {
    steps(f, &[PoolOp::Supply(5), PoolOp::Floor(2)]).await?;
    refuses(f, &[PoolOp::Hold(4)], short(4, 3)).await?;
    steps(f, &[PoolOp::Hold(3)]).await?;
    refuses(f, &[PoolOp::Hold(1)], short(1, 0)).await
}

pub(crate) async fn guard_negative_floor_allows_backorders(f: &Fixture) -> Outcome {
    steps(f, &[PoolOp::Floor(-2), PoolOp::Hold(2)]).await?;
    refuses(f, &[PoolOp::Hold(1)], short(1, 0)).await
}

pub(crate) async fn guard_carried_floor_replaces_the_pools(f: &Fixture) -> Outcome {
    let use_once = PoolOp::HoldAbove { amount: 1, floor: -2 };
    steps(f, &[use_once, use_once]).await?;
    refuses(f, &[use_once], short(1, 0)).await?;
    steps(f, &[PoolOp::HoldAbove { amount: 1, floor: -3 }]).await?;
    equal("a carried floor is not kept", f.level("p").await?, level(-3, 3, 0, 0))?;
    steps(f, &[PoolOp::Supply(10)]).await?;
    refuses(f, &[PoolOp::HoldAbove { amount: 1, floor: 7 }], short(1, 0)).await
}

pub(crate) async fn guard_decrease_of_supply_stops_at_the_floor(f: &Fixture) -> Outcome {
    steps(f, &[PoolOp::Supply(5), PoolOp::Floor(2)]).await?;
    refuses(f, &[PoolOp::Supply(-4)], short(4, 3)).await?;
    steps(f, &[PoolOp::Supply(-3), PoolOp::Floor(9), PoolOp::Supply(1)]).await?;
    equal("an increase below the floor passes", f.level("p").await?, level(3, 0, 0, 9))
}

pub(crate) async fn guard_count_is_never_refused(f: &Fixture) -> Outcome {
    steps(f, &[PoolOp::Supply(5), PoolOp::Hold(4), PoolOp::Correct(-6)]).await?;
    equal("a count below the floor", f.level("p").await?, level(-5, 4, 0, 0))?;
    refuses(f, &[PoolOp::Hold(1)], short(1, 0)).await?;
    steps(f, &[PoolOp::Release(4)]).await?;
    equal("a release below the floor", f.level("p").await?, level(-1, 0, 0, 0))
}

pub(crate) async fn guard_floor_is_never_refused(f: &Fixture) -> Outcome {
    steps(f, &[PoolOp::Supply(1), PoolOp::Floor(8)]).await?;
    equal("a floor above what is there", f.level("p").await?, level(1, 0, 0, 8))
}

pub(crate) async fn guard_release_stops_at_what_is_held(f: &Fixture) -> Outcome {
    steps(f, &[PoolOp::Supply(5), PoolOp::Hold(2)]).await?;
    refuses(f, &[PoolOp::Release(3)], unbalanced()).await
}

pub(crate) async fn guard_allocate_stops_at_what_is_held(f: &Fixture) -> Outcome {
    steps(f, &[PoolOp::Supply(5), PoolOp::Hold(2)]).await?;
    refuses(f, &[PoolOp::Allocate(3)], unbalanced()).await
}

pub(crate) async fn guard_consume_stops_at_what_is_allocated(f: &Fixture) -> Outcome {
    steps(f, &[PoolOp::Supply(5), PoolOp::Hold(2), PoolOp::Allocate(2)]).await?;
    refuses(f, &[PoolOp::Consume(3)], unbalanced()).await
}

pub(crate) async fn guard_return_stops_at_what_is_allocated(f: &Fixture) -> Outcome {
    steps(f, &[PoolOp::Supply(5), PoolOp::Hold(2), PoolOp::Allocate(2)]).await?;
    refuses(f, &[PoolOp::Return(3)], unbalanced()).await
}

pub(crate) async fn guard_consume_stops_at_what_is_physically_there(f: &Fixture) -> Outcome {
    steps(f, &[PoolOp::Floor(-2), PoolOp::Hold(2), PoolOp::Allocate(2)]).await?;
    refuses(f, &[PoolOp::Consume(1)], unbalanced()).await?;
    steps(f, &[PoolOp::Supply(1), PoolOp::Consume(1)]).await?;
    equal("the unit that arrived left", f.level("p").await?, level(-1, 0, 1, -2))
}

pub(crate) async fn guard_sums_do_not_wrap(f: &Fixture) -> Outcome {
    for beyond in [PoolOp::Hold(u64::MAX), PoolOp::Release(u64::MAX), PoolOp::Return(u64::MAX)] {
        refuses(f, &[beyond], unbalanced()).await?;
    }
    steps(f, &[PoolOp::Supply(i64::MAX)]).await?;
    refuses(f, &[PoolOp::Supply(1)], unbalanced()).await?;
    refuses(f, &[PoolOp::Correct(i64::MAX), PoolOp::Correct(i64::MAX)], unbalanced()).await?;
    let and_back = [PoolOp::Supply(i64::MAX), PoolOp::Supply(-i64::MAX)];
    f.commit(and_back.into_iter().fold(Commit::default(), |commit, op| commit.moves("p", op))).await?;
    equal("sums are taken before they are bounded", f.level("p").await?, level(i64::MAX, 0, 0, 0))
}
