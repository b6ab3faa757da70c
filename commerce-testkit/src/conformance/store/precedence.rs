//! Order of refusals: mark, lease, version, key, pool; within one the smallest key.

use std::time::Duration;

use commerce_core::kernel::commit::Commit;
use commerce_core::kernel::error::{CommitError, MAX_SHORTAGES, Shortage};
use commerce_core::kernel::mark::{Fingerprint, Mark};
use commerce_core::kernel::pool::PoolOp;
use commerce_core::kernel::stream::StreamId;
use commerce_core::kernel::timer::TimerKey;
use uuid::Uuid;

use super::stream::stale;
use crate::build::{Draft, key, mark, numbered, pool, stream};
use crate::conformance::fixture::Fixture;
use crate::conformance::outcome::{Failure, Outcome, equal, holds, refused};

/// The owner of what is taken.
fn owner() -> StreamId {
    numbered(1)
}

/// A commit with the last `classes` reasons to be refused: of pool, key, version, lease.
fn refusable(classes: u32) -> Commit {
    let late = numbered(2);
    let mut commit = Commit::default().moves("short", PoolOp::Hold(1));
    if classes > 1 {
        commit = commit.claims("taken", &late);
    }
    if classes > 2 {
        commit = commit.appends(&late, 9, 1);
    }
    if classes > 3 {
        commit.lease = Some((TimerKey::new(owner(), "timer"), Uuid::from_u128(1)));
    }
    commit
}

pub(crate) async fn prepare(f: &Fixture) -> Result<(), Failure> {
    f.commit(Commit::default().appends(&owner(), 0, 1).claims("taken", &owner()).marked("handled")).await?;
    Ok(())
}

/// Mark, fence or lease, version, key and pool, all violated below the given one.
pub(crate) fn below_fence() -> Commit {
    refusable(3)
}

pub(crate) async fn precedence_mark_before_all_others(f: &Fixture) -> Outcome {
    prepare(f).await?;
    let repeated = refused("a repeat", f.store().commit(refusable(4).marked("handled")).await)?;
    holds("a handled mark comes first", matches!(repeated, CommitError::AlreadyHandled(_)))?;
    let fingerprint = Fingerprint::of(1, b"another request");
    let mut reused = refusable(4);
    reused.mark = Some(Mark { fingerprint, ..mark("handled") });
    let expected = CommitError::KeyReused(mark("handled").key);
    equal("a reused mark comes first", f.store().commit(reused).await, Err(expected))
}

pub(crate) async fn precedence_lease_before_version(f: &Fixture) -> Outcome {
    prepare(f).await?;
    let expected = CommitError::LeaseLost(TimerKey::new(owner(), "timer"));
    equal("a lost lease before the rest", f.store().commit(refusable(4)).await, Err(expected))
}

pub(crate) async fn precedence_version_before_key(f: &Fixture) -> Outcome {
    prepare(f).await?;
    let result = f.store().commit(refusable(3)).await;
    equal("a stale append before the rest", result, Err(stale(&numbered(2), 9, 0)))?;
    let expecting = f.store().commit(refusable(2).expects(&owner(), 9)).await;
    equal("a stale expect before the rest", expecting, Err(stale(&owner(), 9, 1)))
}

pub(crate) async fn precedence_key_before_pool(f: &Fixture) -> Outcome {
    prepare(f).await?;
    let taken = CommitError::Taken { key: key("taken"), owner: owner() };
    equal("a taken key before a short pool", f.store().commit(refusable(2)).await, Err(taken.clone()))?;
    let unbalanced = refusable(2).moves("unbalanced", PoolOp::Consume(1));
    equal("a taken key before an unbalanced pool", f.store().commit(unbalanced).await, Err(taken))
}

pub(crate) async fn precedence_smallest_stale_stream_is_named(f: &Fixture) -> Outcome {
    let (a, b, c) = (numbered(1), numbered(2), numbered(3));
    let appends = Commit::default().appends(&c, 5, 1).appends(&a, 5, 1).appends(&b, 5, 1);
    equal("of stale appends", f.store().commit(appends).await, Err(stale(&a, 5, 0)))?;
    let first = Commit::default().appends(&b, 5, 1).expects(&c, 5).expects(&a, 5);
    equal("of expects before an append", f.store().commit(first).await, Err(stale(&a, 5, 0)))?;
    let last = Commit::default().appends(&c, 5, 1).appends(&a, 5, 1).expects(&b, 5);
    equal("of appends before an expect", f.store().commit(last).await, Err(stale(&a, 5, 0)))?;
    let twice = Commit::default().appends(&a, 5, 1).expects(&a, 6).expects(&a, 3);
    equal("of one stream its append", f.store().commit(twice).await, Err(stale(&a, 5, 0)))?;
    let twice = Commit::default().expects(&a, 6).expects(&a, 3);
    equal("of one stream its first expect", f.store().commit(twice).await, Err(stale(&a, 6, 0)))
}

pub(crate) async fn precedence_smallest_taken_key_is_named(f: &Fixture) -> Outcome {
    let (a, b) = (stream("a"), stream("b"));
    f.commit(Commit::default().claims("k3", &a).claims("k1", &a).claims("K2", &a)).await?;
    let commit = Commit::default().claims("k3", &b).claims("k0", &b).claims("k1", &b);
    let expected = CommitError::Taken { key: key("k1"), owner: a.clone() };
    equal("of two taken keys", f.store().commit(commit).await, Err(expected))?;
    let commit = Commit::default().claims("k1", &b).claims("K2", &b);
    let expected = CommitError::Taken { key: key("K2"), owner: a };
    equal("of two taken keys by their bytes", f.store().commit(commit).await, Err(expected))
}

pub(crate) async fn precedence_smallest_unbalanced_pool_is_named(f: &Fixture) -> Outcome {
    let commit = Commit::default()
        .moves("p3", PoolOp::Release(1))
        .moves("p1", PoolOp::Consume(1))
        .moves("p2", PoolOp::Return(1));
    equal(
        "of three unbalanced pools",
        f.store().commit(commit).await,
        Err(CommitError::Unbalanced(pool("p1"))),
    )
}

fn shortage(name: &str, wanted: i64, available: i64) -> Shortage {
    Shortage { pool: pool(name), wanted, available }
}

pub(crate) async fn precedence_short_names_every_pool(f: &Fixture) -> Outcome {
    f.commit(Commit::default().moves("p1", PoolOp::Supply(2)).moves("p2", PoolOp::Supply(9))).await?;
    let commit = Commit::default()
        .moves("p3", PoolOp::Hold(1))
        .moves("p2", PoolOp::Hold(9))
        .moves("p1", PoolOp::Hold(5));
    let expected = vec![shortage("p1", 5, 2), shortage("p3", 1, 0)];
    equal("all short pools and no other", f.store().commit(commit).await, Err(CommitError::Short(expected)))
}

pub(crate) async fn precedence_short_is_sorted(f: &Fixture) -> Outcome {
    let mut commit = Commit::default();
    for name in ["b", "a-b", "B", "é", "a", "a:b"] {
        commit = commit.moves(name, PoolOp::Hold(1));
    }
    let expected = ["B", "a", "a-b", "a:b", "b", "é"].map(|name| shortage(name, 1, 0)).to_vec();
    equal(
        "short pools by the bytes of their names",
        f.store().commit(commit).await,
        Err(CommitError::Short(expected)),
    )
}

pub(crate) async fn precedence_short_is_bounded(f: &Fixture) -> Outcome {
    let mut commit = Commit::default();
    for number in (0..60).rev() {
        commit = commit.moves(&format!("p{number:02}"), PoolOp::Hold(1));
    }
    let expected = (0..MAX_SHORTAGES).map(|number| shortage(&format!("p{number:02}"), 1, 0)).collect();
    equal("the first fifty of sixty", f.store().commit(commit).await, Err(CommitError::Short(expected)))
}

pub(crate) async fn precedence_lease_that_lasts_lets_the_rest_decide(f: &Fixture) -> Outcome {
    prepare(f).await?;
    let now = f.now().await?;
    f.commit(Commit::default().sets(&owner(), "timer", now)).await?;
    let due = f.due(1, Duration::from_secs(3600)).await?;
    let mut commit = refusable(3);
    commit.lease = due.timers.first().map(|timer| (timer.key.clone(), timer.token));
    holds("a due timer is leased", commit.lease.is_some())?;
    equal("under a lease that lasts", f.store().commit(commit).await, Err(stale(&numbered(2), 9, 0)))
}
