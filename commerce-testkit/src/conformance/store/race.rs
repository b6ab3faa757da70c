//! Races on real threads: exactly as many win as may.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use commerce_core::kernel::commit::{Commit, Load, Receipt};
use commerce_core::kernel::error::CommitError;
use commerce_core::kernel::pool::PoolOp;
use commerce_core::kernel::stream::Position;
use commerce_core::port::store::{DueQuery, LogQuery, Store};

use super::pool::level;
use crate::build::{Draft, key, numbered, pool, stream};
use crate::conformance::fixture::{Fixture, query};
use crate::conformance::outcome::{Failure, Outcome, equal, holds};
use crate::fake::START;

type Task<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Results = Vec<Result<Receipt, CommitError>>;

/// Commits all at once, each on a thread of its own.
async fn all_at_once(f: &Fixture, commits: Vec<Commit>) -> Results {
    let commit = |commit: Commit| {
        let store = f.shared();
        async move { store.commit(commit).await }
    };
    f.race(commits.into_iter().map(commit).collect()).await
}

fn winners(results: &Results) -> usize {
    results.iter().filter(|result| result.is_ok()).count()
}

/// All others were refused in the way that `lost` names.
fn others(results: &Results, lost: impl Fn(&CommitError) -> bool) -> Outcome {
    match results.iter().filter_map(|result| result.as_ref().err()).find(|error| !lost(error)) {
        None => Ok(()),
        Some(error) => Err(Failure::new(format!("a loser was told {error:?}"))),
    }
}

pub(crate) async fn race_for_a_key_has_one_winner(f: &Fixture) -> Outcome {
    let claim = |number| Commit::default().appends(&numbered(number), 0, 1).claims("k", &numbered(number));
    let results = all_at_once(f, (0..8).map(claim).collect()).await;
    equal("winners of a key", winners(&results), 1)?;
    others(&results, |error| matches!(error, CommitError::Taken { .. }))?;
    let winner = results.iter().position(Result::is_ok).map(|number| numbered(number as u64));
    equal("the owner", f.owner("k").await?, winner)?;
    equal("events", f.log().await?.len(), 1)
}

pub(crate) async fn race_for_a_pool_has_as_many_winners_as_units(f: &Fixture) -> Outcome {
    f.commit(Commit::default().moves("p", PoolOp::Supply(5))).await?;
    let hold = |number| Commit::default().appends(&numbered(number), 0, 1).moves("p", PoolOp::Hold(1));
    let results = all_at_once(f, (0..12).map(hold).collect()).await;
    equal("winners of five units", winners(&results), 5)?;
    others(&results, |error| matches!(error, CommitError::Short(_)))?;
    equal("the pool", f.level("p").await?, level(0, 5, 0, 0))?;
    equal("events", f.log().await?.len(), 5)
}

pub(crate) async fn race_to_append_has_one_winner(f: &Fixture) -> Outcome {
    let s = stream("s");
    for head in 0..3 {
        let results = all_at_once(f, (0..6).map(|_| Commit::default().appends(&s, head, 1)).collect()).await;
        equal("winners of a version", winners(&results), 1)?;
        others(&results, |error| matches!(error, CommitError::Stale { .. }))?;
    }
    let versions: Vec<u64> = f.stream(&s).await?.iter().map(|event| event.version.get()).collect();
    equal("versions", versions, vec![1, 2, 3])
}

pub(crate) async fn race_of_repeats_has_one_effect(f: &Fixture) -> Outcome {
    let commit = Commit::default().appends(&stream("s"), 0, 1).moves("p", PoolOp::Supply(1)).marked("m");
    let results = all_at_once(f, vec![commit; 8]).await;
    equal("winners of a mark", winners(&results), 1)?;
    let position = results.iter().flatten().map(|receipt| receipt.position).next();
    others(&results, |error| match error {
        CommitError::AlreadyHandled(handled) => Some(handled.position) == position,
        _ => false,
    })?;
    equal("the pool", f.level("p").await?, level(1, 0, 0, 0))
}

pub(crate) async fn race_of_expects_allows_no_write_skew(f: &Fixture) -> Outcome {
    for round in 0..5_u64 {
        let (a, b) = (numbered(2 * round), numbered(2 * round + 1));
        f.commit(Commit::default().appends(&a, 0, 1).appends(&b, 0, 1)).await?;
        let first = Commit::default().appends(&a, 1, 1).expects(&b, 1);
        let second = Commit::default().appends(&b, 1, 1).expects(&a, 1);
        let results = all_at_once(f, vec![first, second]).await;
        equal("winners, each of which relied on what the other changes", winners(&results), 1)?;
        others(&results, |error| matches!(error, CommitError::Stale { .. }))?;
    }
    Ok(())
}

pub(crate) async fn race_over_the_same_things_in_any_order_ends(f: &Fixture) -> Outcome {
    let names = ["p0", "p1", "p2", "p3"];
    let commit = |number: u64| {
        let mut order = names;
        order.rotate_left(usize::try_from(number % 4).unwrap_or(0));
        if number % 2 == 1 {
            order.reverse();
        }
        let commit = Commit::default().appends(&numbered(number), 0, 1);
        order.iter().fold(commit, |commit, name| commit.moves(name, PoolOp::Supply(1)))
    };
    let results = all_at_once(f, (0..8).map(commit).collect()).await;
    equal("winners of what all can have", winners(&results), 8)?;
    for name in names {
        equal("a pool that all have moved", f.level(name).await?, level(8, 0, 0, 0))?;
    }
    Ok(())
}

pub(crate) async fn race_for_due_timers_gives_each_once(f: &Fixture) -> Outcome {
    let timers =
        (0..12).fold(Commit::default(), |commit, number| commit.sets(&numbered(number), "timer", START));
    f.commit(timers).await?;
    let lease = |_| {
        let store = f.shared();
        let query = DueQuery { kinds: Vec::new(), limit: 3, lease: Duration::from_secs(3600) };
        async move { store.due(query).await }
    };
    let mut given = Vec::new();
    for due in f.race((0..6).map(lease).collect()).await {
        given.extend(due?.timers.into_iter().map(|timer| timer.key));
    }
    // A worker may be given fewer than there are, but nobody may be given what another has.
    given.extend(f.due(12, Duration::from_secs(3600)).await?.timers.into_iter().map(|timer| timer.key));
    equal("timers that were given out", given.len(), 12)?;
    equal("different ones among them", given.iter().collect::<BTreeSet<_>>().len(), 12)
}

/// Somebody who is under way; counts itself out, also when it fails.
struct Running(Arc<AtomicUsize>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Who is under way, and how often was loaded: reads and writes take turns, however threads are scheduled.
#[derive(Clone, Default)]
struct Turns {
    writers: Arc<AtomicUsize>,
    readers: Arc<AtomicUsize>,
    loads: Arc<AtomicUsize>,
}

/// How many rounds are written.
const ROUNDS: usize = 40;

/// Lets others go on.
async fn give_way() {
    let mut waited = false;
    poll_fn(|context| {
        if waited {
            return Poll::Ready(());
        }
        waited = true;
        std::thread::yield_now();
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// One commit per round over two streams, a pool and a key.
async fn write_rounds(store: Arc<dyn Store>, turns: Turns) -> Outcome {
    let writer = Running(turns.writers.clone());
    let (a, b) = (stream("a"), stream("b"));
    for round in 0..ROUNDS {
        while turns.loads.load(Ordering::SeqCst) < round / 4 && turns.readers.load(Ordering::SeqCst) > 0 {
            give_way().await;
        }
        let head = round as u64;
        let commit =
            Commit::default().appends(&a, head, 1).moves("p", PoolOp::Supply(1)).appends(&b, head, 1);
        store.commit(commit.claims(&format!("k{round}"), &a)).await?;
    }
    drop(writer);
    Ok(())
}

/// Loads the same things again and again; all must be of the same round.
async fn read_rounds(store: Arc<dyn Store>, turns: Turns) -> Outcome {
    let reader = Running(turns.readers.clone());
    let by_claim: Vec<_> = (0..ROUNDS).map(|round| key(&format!("k{round}"))).collect();
    let streams = vec![query(&stream("a"), 0, None), query(&stream("b"), 0, None)];
    let load = Load { streams, pools: vec![pool("p")], by_claim, ..Load::default() };
    while turns.writers.load(Ordering::SeqCst) > 0 {
        let loaded = store.load(load.clone()).await?;
        let mut seen: Vec<u64> = loaded.streams.iter().map(|stream| stream.version.get()).collect();
        seen.extend(loaded.streams.iter().map(|stream| stream.events.len() as u64));
        seen.extend(loaded.pools.iter().map(|level| u64::try_from(level.available).unwrap_or(u64::MAX)));
        seen.push(loaded.by_claim.iter().flatten().count() as u64);
        let first = seen.first().copied();
        holds(
            &format!("a load sees no commit in part: {seen:?} (versions, events, pool, keys)"),
            seen.iter().all(|number| Some(*number) == first),
        )?;
        let log = store.read_all(LogQuery::after(Position::START, 1000)).await?.events.len();
        holds(&format!("the log shows no commit in part: {log} events"), log % 2 == 0)?;
        turns.loads.fetch_add(1, Ordering::SeqCst);
    }
    drop(reader);
    Ok(())
}

pub(crate) async fn race_of_readers_sees_no_commit_in_part(f: &Fixture) -> Outcome {
    let turns = Turns::default();
    turns.writers.store(1, Ordering::SeqCst);
    turns.readers.store(2, Ordering::SeqCst);
    let mut tasks: Vec<Task<Outcome>> = vec![Box::pin(write_rounds(f.shared(), turns.clone()))];
    for _ in 0..2 {
        tasks.push(Box::pin(read_rounds(f.shared(), turns.clone())));
    }
    f.race(tasks).await.into_iter().collect()
}

/// What a follower saw: versions by stream, in the order of the log.
type Seen = BTreeMap<String, Vec<u64>>;

/// Follows the log until the writers are done and nothing is left.
async fn follow(store: Arc<dyn Store>, running: Arc<AtomicUsize>) -> Result<Seen, Failure> {
    let (mut seen, mut after) = (Seen::new(), Position::START);
    loop {
        let done = running.load(Ordering::SeqCst) == 0;
        let page = store.read_all(LogQuery::after(after, 7)).await?;
        if page.events.is_empty() && done {
            return Ok(seen);
        }
        after = page.next;
        for event in page.events {
            seen.entry(event.stream.to_string()).or_default().push(event.version.get());
        }
    }
}

/// Twenty commits of two events each.
async fn write_pairs(store: Arc<dyn Store>, writer: u64, running: Running) -> Result<Seen, Failure> {
    for round in 0..20 {
        store.commit(Commit::default().appends(&numbered(writer), round * 2, 2)).await?;
    }
    drop(running);
    Ok(Seen::new())
}

pub(crate) async fn race_of_writers_hides_no_event_from_a_follower(f: &Fixture) -> Outcome {
    let running = Arc::new(AtomicUsize::new(4));
    let mut tasks: Vec<Task<Result<Seen, Failure>>> = Vec::new();
    for writer in 0..4 {
        tasks.push(Box::pin(write_pairs(f.shared(), writer, Running(running.clone()))));
    }
    tasks.push(Box::pin(follow(f.shared(), running)));
    let mut followed = Seen::new();
    for result in f.race(tasks).await {
        followed.extend(result?);
    }
    equal("streams that the follower saw", followed.len(), 4)?;
    for (stream, versions) in followed {
        equal(
            &format!("versions of {stream} that the follower saw"),
            versions,
            (1..=40).collect::<Vec<u64>>(),
        )?;
    }
    Ok(())
}
