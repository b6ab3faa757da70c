//! Lost connections, dead servers, slow committers: nothing is lost, nothing happens twice.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod server;

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use commerce_adapters_postgres::sqlx::postgres::PgConnectOptions;
use commerce_adapters_postgres::sqlx::{self, Connection};
use commerce_adapters_postgres::{PgStore, Settings};
use commerce_core::kernel::commit::Commit;
use commerce_core::kernel::error::{CommitError, Effect};
use commerce_core::kernel::pool::PoolOp;
use commerce_core::kernel::stream::{Position, StreamId};
use commerce_core::port::store::{LogQuery, Store};
use commerce_testkit::build::{Draft, numbered, stream};
use commerce_tests::server::Cluster;
use server::proxy::{Cut, Proxy};
use server::{World, connection, level, log, on_runtime, run, version};
use tokio::time::{Instant, sleep, timeout};

/// Settings of a host that does not wait long for a server that is gone.
fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.answer_timeout = Duration::from_secs(5);
    settings.log_patience = Duration::from_secs(10);
    settings
}

/// Options that lead through a proxy.
fn through(proxy: &Proxy, database: &str) -> PgConnectOptions {
    PgConnectOptions::new().host("127.0.0.1").port(proxy.port).username("postgres").database(database)
}

fn order(number: u64) -> Commit {
    Commit::default()
        .appends(&numbered(number), 0, 1)
        .moves("p", PoolOp::Supply(1))
        .marked(&number.to_string())
}

/// Submits the same commit until something definite is answered, as the facade does.
async fn resolved(store: &PgStore, commit: Commit) {
    loop {
        match store.commit(commit.clone()).await {
            Ok(_) | Err(CommitError::AlreadyHandled(_)) => return,
            Err(CommitError::Port(_)) => sleep(Duration::from_millis(2)).await,
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// Writers that place orders, each until it is acknowledged, while something goes wrong.
struct Load {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
    writers: Vec<tokio::task::JoinHandle<()>>,
}

impl Load {
    fn start(store: &PgStore, writers: u64) -> Self {
        let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let writers = (0..writers)
            .map(|writer| {
                let (store, stop, acknowledged) = (store.clone(), stop.clone(), acknowledged.clone());
                tokio::spawn(async move {
                    let mut number = writer * 1_000_000;
                    while !stop.load(Ordering::SeqCst) {
                        resolved(&store, order(number)).await;
                        acknowledged.fetch_add(1, Ordering::SeqCst);
                        number += 1;
                    }
                })
            })
            .collect();
        Self { stop, acknowledged, writers }
    }

    /// Ends the writers and compares what they were told with what is there.
    async fn check(self, store: &PgStore) {
        self.stop.store(true, Ordering::SeqCst);
        for writer in self.writers {
            timeout(Duration::from_secs(20), writer).await.unwrap().unwrap();
        }
        let acknowledged = self.acknowledged.load(Ordering::SeqCst);
        let events = log(store).await;
        let mut counts: BTreeMap<StreamId, usize> = BTreeMap::new();
        for event in &events {
            *counts.entry(event.stream.clone()).or_default() += 1;
        }
        assert!(counts.values().all(|count| *count == 1), "an order was placed twice");
        assert_eq!(counts.len() as u64, acknowledged, "every acknowledged order is there, and no other");
        assert_eq!(level(store, "p").await.available.cast_unsigned(), acknowledged);
        assert!(acknowledged > 20, "{acknowledged}");
    }
}

/// Where the server of the shared test run listens, and the database's name.
fn place(world: &World) -> (std::path::PathBuf, String) {
    let options = server::options(&world.database);
    let socket = options.get_socket().unwrap().join(".s.PGSQL.5432");
    (socket, world.database.name().to_owned())
}

#[test]
fn g9_a_cut_before_the_request_does_nothing() {
    on_runtime(async {
        let world = World::new().await;
        let (socket, name) = place(&world);
        let proxy = Proxy::to(socket).await;
        let store = PgStore::new(through(&proxy, &name), settings());
        resolved(&store, order(1)).await;
        proxy.arm(Cut::BeforeRequest);
        let error = store.commit(order(2)).await.unwrap_err();
        assert!(matches!(&error, CommitError::Port(error) if error.effect == Effect::Unknown), "{error:?}");
        sleep(Duration::from_millis(100)).await;
        assert_eq!(log(&world.store).await.len(), 1);
        resolved(&store, order(2)).await;
        assert_eq!(log(&world.store).await.len(), 2);
    });
}

#[test]
fn g9_a_cut_behind_the_request_is_resolved_by_the_same_commit() {
    on_runtime(async {
        let world = World::new().await;
        let (socket, name) = place(&world);
        let proxy = Proxy::to(socket).await;
        let store = PgStore::new(through(&proxy, &name), settings());
        resolved(&store, order(1)).await;
        for (number, cut) in [(2, Cut::AfterRequest), (3, Cut::WithinAnswer)] {
            proxy.arm(cut);
            let error = store.commit(order(number)).await.unwrap_err();
            assert!(
                matches!(&error, CommitError::Port(error) if error.effect == Effect::Unknown),
                "{error:?}"
            );
            // The server works on after its client is gone; a second attempt may even overtake the first.
            while version(&world.store, &numbered(number)).await == 0 {
                sleep(Duration::from_millis(5)).await;
            }
            let again = store.commit(order(number)).await;
            assert!(matches!(again, Err(CommitError::AlreadyHandled(_))), "{cut:?}: {again:?}");
            assert_eq!(log(&world.store).await.len() as u64, number);
        }
    });
}

#[test]
fn g9_a_hundred_cuts_lose_nothing_and_do_nothing_twice() {
    on_runtime(async {
        let world = World::new().await;
        let (socket, name) = place(&world);
        let proxy = Proxy::to(socket).await;
        let store = PgStore::new(through(&proxy, &name), settings());
        let load = Load::start(&store, 8);
        let cuts = [Cut::BeforeRequest, Cut::AfterRequest, Cut::WithinAnswer];
        for round in 0.. {
            if proxy.cuts() >= 100 {
                break;
            }
            proxy.arm(cuts[round % 3]);
            // Odd spans, so that cuts fall at all moments.
            sleep(Duration::from_micros(2000 + (round as u64 * 7919) % 9000)).await;
        }
        load.check(&world.store).await;
    });
}

/// A server of its own, because the test kills it.
async fn own() -> (Cluster, PgStore) {
    let cluster = Cluster::start(true);
    let options = PgConnectOptions::from_str(&cluster.url("postgres")).unwrap();
    let store = PgStore::new(options, settings());
    store.migrate().await.unwrap();
    (cluster, store)
}

/// How long it takes until the store works again.
async fn recovers(store: &PgStore) {
    let start = Instant::now();
    while store.ping().await.is_err() {
        assert!(start.elapsed() < Duration::from_secs(20), "the store does not recover");
        sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn g9_killed_backends_lose_nothing() {
    on_runtime(async {
        let (cluster, store) = own().await;
        let load = Load::start(&store, 8);
        for _ in 0..3 {
            sleep(Duration::from_millis(300)).await;
            let backend = "select pid from pg_stat_activity where backend_type = 'client backend' \
                           and pid <> pg_backend_pid() limit 1";
            let backend = cluster.psql("postgres", backend);
            let killed = std::process::Command::new("kill").args(["-KILL", &backend]).status().unwrap();
            assert!(killed.success());
            recovers(&store).await;
            cluster.wait();
        }
        load.check(&store).await;
    });
}

#[test]
fn g9_a_killed_server_loses_nothing() {
    on_runtime(async {
        let (cluster, store) = own().await;
        let load = Load::start(&store, 8);
        for _ in 0..2 {
            sleep(Duration::from_millis(400)).await;
            cluster.kill();
            assert!(store.ping().await.is_err());
            cluster.launch();
            recovers(&store).await;
        }
        load.check(&store).await;
    });
}

/// Commits of each writer: 100,000 events of all, besides the hundredth part that is rolled back.
const COMMITS: u64 = 6_320;

/// Commits in transactions of the host that take their time, and some that are rolled back.
async fn slow_writer(world: Arc<World>, writer: u64, rounds: u64) -> Vec<(StreamId, u64)> {
    let mut host = connection(&world.database).await;
    let (mut version, mut kept) = (0, Vec::new());
    for round in 0..rounds {
        let mut transaction = host.begin().await.unwrap();
        let commit = Commit::default().appends(&numbered(writer), version, 2);
        world.store.commit_in(&mut transaction, commit).await.unwrap();
        sleep(Duration::from_micros((writer * 7919 + round * 104_729) % 5000)).await;
        if (writer + round).is_multiple_of(100) {
            transaction.rollback().await.unwrap();
        } else {
            transaction.commit().await.unwrap();
            version += 2;
            kept.extend([(numbered(writer), version - 1), (numbered(writer), version)]);
        }
    }
    kept
}

/// Follows the log until all writers are done and nothing is left; starts anew from its checkpoint at times.
async fn reader(world: Arc<World>, done: Arc<AtomicBool>) -> Vec<(StreamId, u64)> {
    let (mut seen, mut after) = (Vec::new(), Position::START);
    let mut store = world.other();
    for pages in 1_u32.. {
        if pages.is_multiple_of(500) {
            store = world.other();
        }
        let last = done.load(Ordering::SeqCst);
        let page = store.read_all(LogQuery::after(after, 97)).await.unwrap();
        if page.events.is_empty() && last {
            return seen;
        }
        after = page.next;
        seen.extend(page.events.iter().map(|event| (event.stream.clone(), event.version.get())));
    }
    seen
}

#[test]
fn g12_readers_see_every_event_of_slow_committers_once_and_in_order() {
    on_runtime(async {
        let world = Arc::new(World::new().await);
        let done = Arc::new(AtomicBool::new(false));
        let readers: Vec<_> = (0..2).map(|_| tokio::spawn(reader(world.clone(), done.clone()))).collect();
        let writers: Vec<_> =
            (0..8).map(|writer| tokio::spawn(slow_writer(world.clone(), writer, COMMITS))).collect();
        let mut written = Vec::new();
        for writer in writers {
            written.extend(writer.await.unwrap());
        }
        done.store(true, Ordering::SeqCst);
        assert!(written.len() >= 100_000, "{}", written.len());
        written.sort();
        for reader in readers {
            let mut seen = reader.await.unwrap();
            for writer in 0..8 {
                let of = seen.iter().filter(|(stream, _)| *stream == numbered(writer));
                assert!(of.is_sorted_by_key(|(_, version)| *version), "out of order");
            }
            seen.sort();
            assert_eq!(seen, written);
        }
    });
}

#[test]
fn g12_an_idle_transaction_is_named_while_it_hides_the_log() {
    on_runtime(async {
        let world = World::new().await;
        let mut options = server::options(&world.database);
        options = options.application_name("forgotten");
        let mut host = sqlx::PgConnection::connect_with(&options).await.unwrap();
        let mut idle = host.begin().await.unwrap();
        run(&mut idle, "create table host_note (note text)").await;
        world.store.commit(Commit::default().appends(&stream("s"), 0, 3)).await.unwrap();
        let lag = world.store.log_lag().await.unwrap();
        assert_eq!(lag.hidden, 3);
        // In a server that other tests use too, one of theirs may be older for a moment.
        let mut blocker = lag.blocker;
        for _ in 0..200 {
            if blocker.as_ref().is_some_and(|blocker| blocker.application == "forgotten") {
                break;
            }
            sleep(Duration::from_millis(50)).await;
            blocker = world.store.log_lag().await.unwrap().blocker;
        }
        let blocker = blocker.unwrap();
        assert_eq!(
            (blocker.application.as_str(), blocker.state.as_str()),
            ("forgotten", "idle in transaction")
        );
        idle.rollback().await.unwrap();
        assert_eq!(log(&world.store).await.len(), 3);
        let lag = world.store.log_lag().await.unwrap();
        assert_eq!(lag.hidden, 0);
    });
}

#[test]
fn g4_carts_with_shuffled_lines_are_granted_exactly_the_stock() {
    on_runtime(async {
        let world = World::new().await;
        let skus = ["a", "b", "c", "d", "e"];
        let supply = skus.iter().fold(Commit::default(), |commit, sku| commit.moves(sku, PoolOp::Supply(30)));
        world.store.commit(supply).await.unwrap();
        let stores = [world.store.clone(), world.other()];
        let mut buyers = Vec::new();
        for buyer in 0..64_u64 {
            let mut lines = skus;
            lines.rotate_left((buyer * 7 % 5) as usize);
            if buyer % 2 == 1 {
                lines.reverse();
            }
            let commit = lines
                .iter()
                .take(3)
                .fold(Commit::default().appends(&numbered(buyer), 0, 1), |commit, sku| {
                    commit.moves(sku, PoolOp::Hold(1))
                });
            let store = stores[(buyer % 2) as usize].clone();
            buyers.push(tokio::spawn(async move { store.commit(commit).await }));
        }
        let mut granted = 0;
        for buyer in buyers {
            match buyer.await.unwrap() {
                Ok(_) => granted += 1,
                Err(CommitError::Short(_)) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        let mut held = 0;
        for sku in skus {
            let level = level(&world.store, sku).await;
            assert!(level.available >= 0);
            held += level.held;
        }
        assert_eq!(held, granted * 3);
        assert_eq!(log(&world.store).await.len(), usize::try_from(granted).unwrap());
        // 64 carts of 3 lines want 192 of 150 units: at least one product is sold out to the last unit.
        assert!(granted >= 30);
    });
}
