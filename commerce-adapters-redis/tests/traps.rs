//! What Redis is known to do to those who trust it, on a real server.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod server;

use std::time::Duration;

use commerce_adapters_redis::redis::{self, AsyncCommands};
use commerce_adapters_redis::{OpenError, RedisStore, Risk, Settings};
use commerce_core::kernel::commit::{Commit, Load, StreamQuery};
use commerce_core::kernel::error::{CommitError, Effect, PortErrorKind};
use commerce_core::kernel::pool::{PoolKey, PoolLevel, PoolMove, PoolOp};
use commerce_core::kernel::stream::{Position, Version};
use commerce_core::port::store::{LogQuery, Store};
use commerce_testkit::build::{Draft, numbered, stream};
use commerce_tests::server::Redis;
use server::{fresh, on_runtime, store};

async fn events(store: &RedisStore) -> usize {
    store.read_all(LogQuery::after(Position::START, 1000)).await.unwrap().events.len()
}

async fn client(url: &str) -> redis::aio::MultiplexedConnection {
    redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap()
}

fn moves(steps: &[(&str, PoolOp)]) -> Commit {
    let step = |(pool, op): &(&str, PoolOp)| PoolMove::new(PoolKey::new(*pool), *op);
    Commit { moves: steps.iter().map(step).collect(), ..Commit::default() }
}

/// A script that fails keeps what it has written. So nothing is written before the last check: a commit whose
/// last pool is short leaves not even the keys of what came before.
#[test]
fn r03_a_refused_commit_has_written_nothing() {
    on_runtime(async {
        let settings = fresh();
        let store = RedisStore::open(&Redis::shared(), settings.clone()).await.unwrap();
        let commit = Commit {
            moves: moves(&[("a", PoolOp::Supply(5)), ("b", PoolOp::Hold(1))]).moves,
            ..Commit::default().appends(&stream("s"), 0, 3).claims("name", &stream("s")).marked("m")
        };
        assert!(matches!(store.commit(commit).await, Err(CommitError::Short(_))));
        let mut server = client(&Redis::shared()).await;
        let keys: Vec<String> = server.keys(format!("{{{}}}:*", settings.shop)).await.unwrap();
        assert_eq!(keys, [""; 0]);
    });
}

/// Keys that evict or vanish are no place for orders.
#[test]
fn r04_a_server_that_evicts_is_refused() {
    on_runtime(async {
        let server = Redis::start(&["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]);
        let refused = RedisStore::open(&server.url(), fresh()).await.unwrap_err();
        assert_eq!(refused, OpenError::Unsafe(Risk::Evicts("allkeys-lru".to_owned())));
        let taken = RedisStore::open(&server.url(), fresh().accepting_data_loss()).await.unwrap();
        taken.ping().await.unwrap();
    });
}

/// A server that is full refuses what it cannot keep, and keeps what it has.
#[test]
fn r04_a_full_server_refuses_and_loses_nothing() {
    on_runtime(async {
        let server = Redis::start(&["--maxmemory", "4mb"]);
        let store = RedisStore::open(&server.url(), fresh()).await.unwrap();
        let (mut done, mut refused) = (0, None);
        for number in 0..20_000 {
            match store.commit(Commit::default().appends(&numbered(number + 1), 0, 5)).await {
                Ok(_) => done += 5,
                Err(error) => {
                    refused = Some(error);
                    break;
                }
            }
        }
        let Some(CommitError::Port(error)) = refused else { panic!("{refused:?} after {done}") };
        assert_eq!((error.kind, error.effect), (PortErrorKind::Unavailable, Effect::None));
        let (mut seen, mut after) = (0, Position::START);
        loop {
            let page = store.read_all(LogQuery::after(after, 1000)).await.unwrap();
            if page.events.is_empty() {
                break;
            }
            (seen, after) = (seen + page.events.len(), page.next);
        }
        assert_eq!(seen, done);
    });
}

/// What was acknowledged under `appendfsync always` is there after a crash; without an append-only file the
/// server is refused.
#[test]
fn r05_a_server_that_does_not_persist_is_refused_and_one_that_does_survives_a_crash() {
    on_runtime(async {
        let forgetful = Redis::start(&["--appendonly", "no"]);
        let refused = RedisStore::open(&forgetful.url(), fresh()).await.unwrap_err();
        assert_eq!(refused, OpenError::Unsafe(Risk::NotPersistent("no".to_owned())));
        let always = ["--appendfsync", "always"];
        let (mut server, settings) = (Redis::start(&always), fresh());
        let store = RedisStore::open(&server.url(), settings.clone()).await.unwrap();
        for number in 0..20 {
            store.commit(Commit::default().appends(&stream("s"), number, 1)).await.unwrap();
        }
        server.kill();
        server.restart(&always);
        // The same handle connects anew; so does another process.
        assert_eq!(events(&store).await, 20);
        let other = RedisStore::open(&server.url(), settings).await.unwrap();
        assert_eq!(events(&other).await, 20);
        other.commit(Commit::default().appends(&stream("s"), 20, 1)).await.unwrap();
        assert_eq!(events(&store).await, 21);
    });
}

/// Scripts are lost with a restart or a flush of their cache; they are sent again.
#[test]
fn r08_scripts_that_the_server_has_forgotten_are_sent_again() {
    on_runtime(async {
        let server = Redis::start(&[]);
        let store = RedisStore::open(&server.url(), fresh()).await.unwrap();
        store.commit(Commit::default().appends(&stream("s"), 0, 1)).await.unwrap();
        let mut direct = client(&server.url()).await;
        redis::cmd("SCRIPT").arg("FLUSH").query_async::<()>(&mut direct).await.unwrap();
        store.commit(Commit::default().appends(&stream("s"), 1, 1)).await.unwrap();
        assert_eq!(events(&store).await, 2);
    });
}

/// A call that timed out may have run: its effect is unknown, and the same commit again settles it.
#[test]
fn r08_a_commit_that_timed_out_is_settled_by_the_same_commit() {
    on_runtime(async {
        let server = Redis::start(&[]);
        let mut settings = fresh();
        settings.answer_timeout = Duration::from_millis(200);
        let store = RedisStore::open(&server.url(), settings).await.unwrap();
        let mut direct = client(&server.url()).await;
        redis::cmd("CLIENT").arg("PAUSE").arg(1_000).query_async::<()>(&mut direct).await.unwrap();
        let commit = Commit::default().appends(&stream("s"), 0, 1).marked("m");
        let Err(CommitError::Port(error)) = store.commit(commit.clone()).await else { panic!("no pause") };
        assert_eq!((error.kind, error.effect), (PortErrorKind::Timeout, Effect::Unknown));
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        let settled = store.commit(commit).await;
        assert!(matches!(settled, Ok(_) | Err(CommitError::AlreadyHandled(_))), "{settled:?}");
        assert_eq!(events(&store).await, 1);
    });
}

/// Nothing of an address is in what a host may log.
#[test]
fn r08_no_error_shows_an_address_or_a_password() {
    on_runtime(async {
        let secret = "redis://shop:hunter2@127.0.0.1:1/";
        let settings = Settings::for_shop("mugs").unwrap();
        let error = RedisStore::open(secret, settings).await.unwrap_err();
        let causes = std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
        let causes: Vec<String> = causes.map(|cause| format!("{cause:?} {cause}")).collect();
        let shown = format!("{error:?} {error} {causes:?}");
        for part in ["hunter2", "127.0.0.1", "shop:"] {
            assert!(!shown.contains(part), "{shown}");
        }
        let store = store().await;
        assert!(!format!("{store:?}").contains("redis+unix"));
    });
}

/// Numbers of a script are doubles; what they do not hold is decided by the adapter, also while others move
/// the same pool.
#[test]
fn amounts_beyond_a_double_are_exact_under_contention() {
    on_runtime(async {
        let store = store().await;
        let level = |store: &RedisStore| {
            let load = Load { pools: vec![PoolKey::new("p")], ..Load::default() };
            let store = store.clone();
            async move { store.load(load).await.unwrap().pools.pop().unwrap() }
        };
        let huge = i64::MAX - 1000;
        store.commit(moves(&[("p", PoolOp::Supply(huge))])).await.unwrap();
        let tasks: Vec<_> = (0..50_u64)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { store.commit(moves(&[("p", PoolOp::Hold(3))])).await.unwrap() })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(
            level(&store).await,
            PoolLevel { available: huge - 150, held: 150, allocated: 0, floor: 0 }
        );
        let over = store.commit(moves(&[("p", PoolOp::Supply(2000))])).await;
        assert_eq!(over, Err(CommitError::Unbalanced(PoolKey::new("p"))));
    });
}

/// One shop does not see another on the same server.
#[test]
fn shops_are_apart() {
    on_runtime(async {
        let (one, other) = (store().await, store().await);
        one.commit(Commit::default().appends(&stream("s"), 0, 2)).await.unwrap();
        assert_eq!((events(&one).await, events(&other).await), (2, 0));
        let query = StreamQuery { stream: stream("s"), after: Version::NONE, snapshot_schema: None };
        let seen = other.load(Load { streams: vec![query], ..Load::default() }).await.unwrap();
        assert_eq!(seen.streams.first().map(|seen| seen.version), Some(Version::NONE));
    });
}
