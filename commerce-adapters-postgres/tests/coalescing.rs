//! Commits that arrive together share calls, and nothing else.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use commerce_adapters_postgres::sqlx::Connection;
use commerce_core::kernel::commit::Commit;
use commerce_core::kernel::error::CommitError;
use commerce_core::kernel::personal::PersonalValue;
use commerce_core::kernel::pool::PoolOp;
use commerce_core::port::observer::{Observer, Signal};
use commerce_core::port::store::Store;
use commerce_testkit::build::{Draft, append, numbered, personal_event, subject};
use server::{World, connection, level, log, on_runtime, run, version};

/// How often the server executed the call that commits.
fn calls(world: &World) -> u64 {
    let sql = "select coalesce(sum(s.calls), 0) from pg_stat_statements s \
               join pg_database d on d.oid = s.dbid \
               where d.datname = current_database() and s.query like '%\".commit(%'";
    world.database.psql(sql).parse().unwrap()
}

/// A store whose statements are counted, with units in a pool.
async fn counted(units: i64) -> World {
    let world = World::new().await;
    world.database.psql("create extension pg_stat_statements");
    world.store.commit(Commit::default().moves("p", PoolOp::Supply(units))).await.unwrap();
    world
}

fn hold(number: u64) -> Commit {
    Commit::default().appends(&numbered(number), 0, 1).moves("p", PoolOp::Hold(1)).marked(&number.to_string())
}

#[test]
fn a_lone_commit_is_one_statement() {
    on_runtime(async {
        let world = counted(9).await;
        let before = calls(&world);
        world.store.commit(hold(1)).await.unwrap();
        assert_eq!(calls(&world) - before, 1);
    });
}

#[test]
fn commits_that_arrive_together_share_calls() {
    on_runtime(async {
        let world = counted(1000).await;
        let before = calls(&world);
        let commits: Vec<_> = (0..300)
            .map(|number| {
                let store = world.store.clone();
                tokio::spawn(async move { store.commit(hold(number)).await })
            })
            .collect();
        for commit in commits {
            commit.await.unwrap().unwrap();
        }
        let calls = calls(&world) - before;
        assert!(calls < 100, "300 commits took {calls} calls");
        assert_eq!(log(&world.store).await.len(), 300);
        assert_eq!(level(&world.store, "p").await.held, 300);
    });
}

/// Sums up what was shared: commits, and calls.
#[derive(Debug, Default)]
struct Shared {
    commits: AtomicU64,
    calls: AtomicU64,
}

impl Observer for Shared {
    fn observe(&self, signal: &Signal<'_>) {
        if let Signal::CommitCoalesced { commits } = signal {
            self.commits.fetch_add(u64::from(*commits), Ordering::Relaxed);
            self.calls.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[test]
fn who_watches_sees_every_call_that_is_shared() {
    on_runtime(async {
        let world = counted(1000).await;
        let shared = Arc::new(Shared::default());
        let store = world.store.clone().with_observer(shared.clone());
        let before = calls(&world);
        store.commit(hold(0)).await.unwrap();
        assert_eq!(shared.calls.load(Ordering::Relaxed), 0, "a lone commit shares nothing");
        let commits: Vec<_> = (1..300)
            .map(|number| {
                let store = store.clone();
                tokio::spawn(async move { store.commit(hold(number)).await })
            })
            .collect();
        for commit in commits {
            commit.await.unwrap().unwrap();
        }
        let commits = shared.commits.load(Ordering::Relaxed);
        let alone = calls(&world) - before - shared.calls.load(Ordering::Relaxed);
        assert!(commits > 0);
        assert_eq!(alone + commits, 300);
    });
}

#[test]
fn every_commit_of_a_batch_has_its_own_result() {
    on_runtime(async {
        let world = counted(40).await;
        world.store.commit(Commit::default().appends(&numbered(9999), 0, 1)).await.unwrap();
        let commits: Vec<_> = (0..100)
            .map(|number: u64| {
                let store = world.store.clone();
                let commit = match number % 4 {
                    // Relies on a version that is not there.
                    1 => hold(number).expects(&numbered(9999), 7),
                    // All want one key.
                    2 => hold(number).claims("k", &numbered(number)),
                    _ => hold(number),
                };
                tokio::spawn(async move { (number, store.commit(commit).await) })
            })
            .collect();
        let (mut granted, mut keys) = (0, 0);
        for commit in commits {
            let (number, result) = commit.await.unwrap();
            let applied = result.is_ok();
            match (number % 4, result) {
                (1, Err(CommitError::Stale { .. })) | (2, Err(CommitError::Taken { .. })) => {}
                (0 | 2 | 3, Err(CommitError::Short(short))) => assert_eq!(short[0].available, 0),
                (0 | 2 | 3, Ok(_)) => granted += 1,
                (_, result) => panic!("{number}: {result:?}"),
            }
            keys += u64::from(applied && number % 4 == 2);
            assert_eq!(version(&world.store, &numbered(number)).await, u64::from(applied));
        }
        assert_eq!(granted, 40, "as many as there are units");
        assert!(keys <= 1);
    });
}

#[test]
fn a_poisoned_commit_fails_alone() {
    on_runtime(async {
        let world = counted(1000).await;
        // Two values of one field: the database refuses the row, and with it the whole call.
        let mut poison = append(&numbered(5000), 0, 0);
        let mut event = personal_event(subject("alice"), "Alice");
        event.personal.push(PersonalValue { field: 0, ..event.personal[0].clone() });
        poison.events.push(event);
        let poison = Commit::default().appending(poison);
        let mut tasks = Vec::new();
        for number in 0..60 {
            let store = world.store.clone();
            let commit = if number == 30 { poison.clone() } else { hold(number) };
            tasks.push(tokio::spawn(async move { store.commit(commit).await }));
        }
        for (number, task) in tasks.into_iter().enumerate() {
            let result = task.await.unwrap();
            assert_eq!(result.is_ok(), number != 30, "{number}: {result:?}");
        }
        assert_eq!(level(&world.store, "p").await.held, 59);
    });
}

#[test]
fn a_dropped_caller_leaves_its_commit_done_or_not_done() {
    on_runtime(async {
        let world = counted(1000).await;
        let tasks: Vec<_> = (0..200)
            .map(|number| {
                let store = world.store.clone();
                tokio::spawn(async move { store.commit(hold(number)).await.unwrap() })
            })
            .collect();
        for (number, task) in tasks.iter().enumerate() {
            if number % 2 == 0 {
                task.abort();
            }
            if number % 16 == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        for (number, task) in tasks.into_iter().enumerate() {
            let result = task.await;
            assert!(result.is_ok() || number % 2 == 0, "{number}");
        }
        // Whoever was dropped in the queue is applied by somebody; wait until all have come to their end.
        world.store.commit(hold(5000)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        let events = log(&world.store).await;
        let done: std::collections::BTreeSet<_> = events.iter().map(|event| event.stream.clone()).collect();
        assert_eq!(done.len(), events.len(), "nothing twice");
        assert_eq!(
            i64::try_from(done.len()).unwrap(),
            level(&world.store, "p").await.held,
            "nothing in part"
        );
        let locks = "select count(*) from pg_locks where locktype = 'advisory' \
                     and database = (select oid from pg_database where datname = current_database())";
        assert_eq!(world.database.psql(locks), "0");
    });
}

#[test]
fn one_stuck_lock_does_not_freeze_the_shop() {
    on_runtime(async {
        let world = counted(1000).await;
        world.store.commit(Commit::default().moves("stuck", PoolOp::Supply(5))).await.unwrap();
        let mut host = connection(&world.database).await;
        let mut holder = host.begin().await.unwrap();
        run(&mut holder, "select from commerce.pools where name = 'stuck' for update").await;
        let store = world.store.clone();
        let wants = Commit::default().appends(&numbered(1), 0, 1).moves("stuck", PoolOp::Hold(1));
        let stuck = tokio::spawn(async move { store.commit(wants).await });
        tokio::time::sleep(Duration::from_millis(20)).await;
        for number in 10..60 {
            world.store.commit(hold(number)).await.unwrap();
        }
        assert!(!stuck.is_finished(), "it waits for whoever holds its pool");
        holder.rollback().await.unwrap();
        stuck.await.unwrap().unwrap();
        assert_eq!(level(&world.store, "stuck").await.held, 1);
    });
}

#[test]
fn a_runtime_that_ends_under_a_commit_blocks_nothing() {
    let world = on_runtime(counted(9));
    let mut host = on_runtime(connection(&world.database));
    let mut holder = on_runtime(host.begin()).unwrap();
    on_runtime(run(&mut holder, "select from commerce.pools for update"));
    let ending = tokio::runtime::Runtime::new().unwrap();
    let store = world.store.clone();
    ending.spawn(async move { store.commit(hold(1)).await });
    std::thread::sleep(Duration::from_millis(100));
    ending.shutdown_timeout(Duration::from_secs(5));
    on_runtime(async {
        holder.rollback().await.unwrap();
        // The same order again, which needs the keys of the first attempt.
        let mut attempts = 0;
        while let Err(CommitError::Port(_)) = world.store.commit(hold(1)).await {
            attempts += 1;
            assert!(attempts < 10, "the store does not recover");
        }
        assert_eq!(level(&world.store, "p").await.held, 1);
    });
}
