//! Atomicity: a refused commit leaves nothing of any of its parts.

use std::sync::Arc;
use std::time::Duration;

use commerce_core::kernel::commit::{Commit, Load};
use commerce_core::kernel::mark::Fingerprint;
use commerce_core::kernel::pool::{PoolLevel, PoolOp};
use commerce_core::kernel::timer::TimerKey;
use commerce_core::port::store::Table;
use uuid::Uuid;

use crate::build::{Draft, append, key, mark, personal_event, snapshot, stream, subject};
use crate::conformance::fixture::{Fixture, one, query};
use crate::conformance::outcome::{Failure, Outcome, equal, holds, refused};
use crate::fake::START;

/// What the refusals meet: a stream, a key, a pool, a mark and a subject with values and a snapshot.
async fn prepare(f: &Fixture) -> Result<(), Failure> {
    let s = stream("present");
    let mut first = append(&s, 0, 1);
    first.events.push(personal_event(subject("alice"), "Alice"));
    first.snapshot = Some(snapshot(2, 1, "before"));
    let commit = Commit::default().appending(first).claims("taken", &s).moves("pool", PoolOp::Supply(1));
    f.commit(commit.marked("handled").sets(&s, "timer", START)).await?;
    Ok(())
}

/// A commit with every part; it would pass.
fn whole() -> Commit {
    let fresh = stream("fresh");
    let mut more = append(&stream("present"), 2, 1);
    more.snapshot = Some(snapshot(3, 1, "after"));
    Commit::default()
        .appends(&fresh, 0, 2)
        .appending(more)
        .claims("fresh", &fresh)
        .releases("taken", &stream("present"))
        .moves("pool", PoolOp::Supply(5))
        .sets(&fresh, "timer", START)
        .cancels(&stream("present"), "timer")
        .marked("fresh")
        .erases(subject("alice"))
}

/// The same commit, refused for every possible reason.
fn refusals() -> Vec<(&'static str, Commit)> {
    let reused = {
        let mut commit = whole();
        let fingerprint = Fingerprint::of(1, b"another request");
        commit.mark = Some(commerce_core::kernel::mark::Mark { fingerprint, ..mark("handled") });
        commit
    };
    let lost = {
        let mut commit = whole();
        commit.lease = Some((TimerKey::new(stream("present"), "timer"), Uuid::from_u128(1)));
        commit
    };
    let malformed = {
        let mut commit = whole();
        commit.append.push(append(&stream("empty"), 0, 0));
        commit
    };
    vec![
        ("a reused mark", reused),
        ("a lost lease", lost),
        ("a stale append", whole().appends(&stream("late"), 4, 1)),
        ("a stale expect", whole().expects(&stream("late"), 4)),
        ("a taken key", whole().claims("handed", &stream("fresh")).claims("handed-on", &stream("late"))),
        ("a short pool", whole().moves("other", PoolOp::Hold(1))),
        ("an unbalanced pool", whole().moves("other", PoolOp::Release(1))),
        ("no form", malformed),
    ]
}

/// Runs every refusal on a store that was prepared for it.
async fn refuse_all(f: &Fixture) -> Outcome {
    prepare(f).await?;
    let owner = stream("present");
    f.commit(Commit::default().claims("handed-on", &owner)).await?;
    for (why, commit) in refusals() {
        refused(why, f.store().commit(commit).await)?;
    }
    Ok(())
}

pub(crate) async fn refused_commit_leaves_no_events(f: &Fixture) -> Outcome {
    refuse_all(f).await?;
    equal("events in the log", f.log().await?.len(), 2)?;
    equal("events of a stream", f.stream(&stream("present")).await?.len(), 2)?;
    equal("events of a stream that was to be created", f.stream(&stream("fresh")).await?, vec![])?;
    equal("the version of the stream that was to grow", f.version(&stream("present")).await?.get(), 2)
}

pub(crate) async fn refused_commit_leaves_no_keys(f: &Fixture) -> Outcome {
    refuse_all(f).await?;
    equal("the owner of a key that was to be claimed", f.owner("fresh").await?, None)?;
    equal("the owner of a key that was to be released", f.owner("taken").await?, Some(stream("present")))
}

pub(crate) async fn refused_commit_leaves_no_pools(f: &Fixture) -> Outcome {
    refuse_all(f).await?;
    let untouched = PoolLevel { available: 1, ..PoolLevel::default() };
    equal("a pool that was to be supplied", f.level("pool").await?, untouched)?;
    equal("a pool that refused", f.level("other").await?, PoolLevel::default())
}

pub(crate) async fn refused_commit_leaves_no_timers(f: &Fixture) -> Outcome {
    refuse_all(f).await?;
    let due = f.due(9, Duration::from_secs(3600)).await?;
    let keys: Vec<TimerKey> = due.timers.into_iter().map(|timer| timer.key).collect();
    equal("due timers", keys, vec![TimerKey::new(stream("present"), "timer")])
}

pub(crate) async fn refused_commit_leaves_no_mark(f: &Fixture) -> Outcome {
    refuse_all(f).await?;
    let load = Load { marks: vec![mark("fresh").key], ..Load::default() };
    equal("the mark of a refused commit", one(f.load(load).await?.marks)?, None)?;
    equal("marks", f.rows(Table::Marks).await?.len(), 1)
}

pub(crate) async fn refused_commit_erases_nothing(f: &Fixture) -> Outcome {
    refuse_all(f).await?;
    let events = f.stream(&stream("present")).await?;
    let kept = events.iter().flat_map(|event| &event.event.personal).all(|value| value.value.is_some());
    holds("personal values survive a refused erasure", kept && events.len() == 2)
}

pub(crate) async fn refused_commit_leaves_no_snapshot(f: &Fixture) -> Outcome {
    refuse_all(f).await?;
    let load = Load { streams: vec![query(&stream("present"), 0, Some(1))], ..Load::default() };
    let loaded = one(f.load(load).await?.streams)?;
    equal("the snapshot", loaded.snapshot, Some(snapshot(2, 1, "before")))
}

pub(crate) async fn commit_applies_every_part(f: &Fixture) -> Outcome {
    prepare(f).await?;
    let mut commit = whole();
    commit.erase.clear();
    f.commit(commit).await?;
    let (fresh, present) = (stream("fresh"), stream("present"));
    let loaded = f
        .load(Load {
            streams: vec![query(&fresh, 0, None), query(&present, 0, Some(1))],
            by_claim: vec![key("fresh"), key("taken")],
            pools: vec![crate::build::pool("pool")],
            marks: vec![mark("fresh").key],
            ..Load::default()
        })
        .await?;
    let heads: Vec<u64> = loaded.streams.iter().map(|stream| stream.version.get()).collect();
    equal("heads", heads, vec![2, 3])?;
    let snapshots: Vec<_> = loaded.streams.into_iter().map(|stream| stream.snapshot).collect();
    equal("snapshots", snapshots, vec![None, Some(snapshot(3, 1, "after"))])?;
    equal("owners of keys", loaded.by_claim, vec![Some(fresh.clone()), None])?;
    equal("pools", loaded.pools, vec![PoolLevel { available: 6, ..PoolLevel::default() }])?;
    let results: Vec<_> = loaded.marks.into_iter().map(|mark| mark.map(|handled| handled.result)).collect();
    equal("results of marks", results, vec![Some(Arc::clone(&mark("fresh").result))])?;
    let due = f.due(9, Duration::from_secs(3600)).await?;
    let keys: Vec<TimerKey> = due.timers.into_iter().map(|timer| timer.key).collect();
    equal("due timers", keys, vec![TimerKey::new(fresh, "timer")])
}
