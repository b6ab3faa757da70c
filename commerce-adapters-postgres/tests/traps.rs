//! Every known trap of PostgreSQL, by its number, on a real server.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod server;

use std::collections::BTreeMap;
use std::error::Error as _;
use std::time::Duration;

use commerce_adapters_postgres::sqlx::{self, Connection, Row};
use commerce_adapters_postgres::{MigrationStatus, PgStore, Schema, Settings};
use commerce_core::kernel::commit::Commit;
use commerce_core::kernel::error::{CommitError, Effect, PortErrorKind};
use commerce_core::kernel::event::NewEvent;
use commerce_core::kernel::pool::PoolOp;
use commerce_core::kernel::stream::{Position, Slice, StreamId, Version};
use commerce_core::port::clock::Clock;
use commerce_core::port::store::{LogQuery, Store};
use commerce_core::value::time::Timestamp;
use commerce_testkit::build::{Draft, append, event, mark, numbered, stream};
use server::{World, connection, level, log, on_runtime, options, run, version};
use uuid::Uuid;

/// A test that reads what is hidden does not wait for it.
fn impatient() -> Settings {
    let mut settings = Settings::default();
    settings.log_patience = Duration::ZERO;
    settings
}

fn port(error: CommitError) -> commerce_core::kernel::error::PortError {
    match error {
        CommitError::Port(error) => error,
        other => panic!("not an error of the port: {other:?}"),
    }
}

#[test]
fn t01_reader_sees_late_commit() {
    on_runtime(async {
        let world = World::new().await;
        let reader = PgStore::new(options(&world.database), impatient());
        let mut host = connection(&world.database).await;
        let mut late = host.begin().await.unwrap();
        let first = Commit::default().appends(&stream("late"), 0, 1);
        world.store.commit_in(&mut late, first).await.unwrap();
        world.store.commit(Commit::default().appends(&stream("early"), 0, 2)).await.unwrap();
        // Committed, but behind a transaction in flight: a checkpoint there would lose what comes before.
        let page = reader.read_all(LogQuery::after(Position::START, 9)).await.unwrap();
        assert_eq!((page.events.len(), page.next), (0, Position::START));
        let lag = reader.log_lag().await.unwrap();
        assert_eq!(lag.hidden, 2);
        late.commit().await.unwrap();
        let seen: Vec<_> = log(&world.store).await.iter().map(|event| event.stream.clone()).collect();
        assert_eq!(seen, [stream("late"), stream("early"), stream("early")]);
    });
}

#[test]
fn t01_rolled_back_places_are_no_events() {
    on_runtime(async {
        let world = World::new().await;
        let mut host = connection(&world.database).await;
        let mut undone = host.begin().await.unwrap();
        let commit = Commit::default().appends(&stream("undone"), 0, 3);
        world.store.commit_in(&mut undone, commit).await.unwrap();
        undone.rollback().await.unwrap();
        world.store.commit(Commit::default().appends(&stream("kept"), 0, 1)).await.unwrap();
        assert_eq!(log(&world.store).await.len(), 1);
        assert_eq!(version(&world.store, &stream("undone")).await, 0);
    });
}

#[test]
fn t02_relays_in_slices_keep_the_order_of_streams() {
    on_runtime(async {
        let world = World::new().await;
        let writer = world.other();
        let writing = tokio::spawn(async move {
            for round in 0..20 {
                let commit = (0..6).fold(Commit::default(), |commit, number| {
                    let id = Uuid::from_u128(0x9e37 * (number + 1));
                    commit.appends(&StreamId::new("order", id), round, 1)
                });
                writer.commit(commit).await.unwrap();
            }
        });
        let mut relays = Vec::new();
        for index in 0..3 {
            let (store, slice) = (world.other(), Slice::new(index, 3).unwrap());
            relays.push(tokio::spawn(relay(store, slice)));
        }
        writing.await.unwrap();
        let mut all = BTreeMap::new();
        for relay in relays {
            for (stream, versions) in relay.await.unwrap() {
                assert!(all.insert(stream, versions).is_none(), "a stream in two slices");
            }
        }
        assert_eq!(all.len(), 6);
        assert!(all.values().all(|versions| *versions == (1..=20).collect::<Vec<u64>>()), "{all:?}");
    });
}

/// Follows a slice until a while passes without news.
async fn relay(store: PgStore, slice: Slice) -> BTreeMap<StreamId, Vec<u64>> {
    let (mut seen, mut after, mut quiet) = (BTreeMap::<_, Vec<u64>>::new(), Position::START, 0);
    while quiet < 100 {
        let page = store.read_all(LogQuery::after(after, 7).within(slice)).await.unwrap();
        quiet = if page.events.is_empty() { quiet + 1 } else { 0 };
        after = page.next;
        for event in page.events {
            seen.entry(event.stream.clone()).or_default().push(event.version.get());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    seen
}

#[test]
fn t03_no_lock_outlives_its_transaction() {
    on_runtime(async {
        let world = World::new().await;
        let commit = Commit::default().appends(&stream("s"), 0, 1).moves("p", PoolOp::Supply(1)).marked("m");
        world.store.commit(commit.clone()).await.unwrap();
        world.store.commit(commit).await.unwrap_err();
        let locks = "select count(*) from pg_locks where locktype = 'advisory' \
                     and database = (select oid from pg_database where datname = current_database())";
        assert_eq!(world.database.psql(locks), "0");
    });
}

#[test]
fn t04_no_update_is_lost_between_processes() {
    on_runtime(async {
        let world = World::new().await;
        world.store.commit(Commit::default().moves("p", PoolOp::Supply(7))).await.unwrap();
        let stores = [world.store.clone(), world.other(), world.other()];
        let mut buyers = Vec::new();
        for number in 0..30_usize {
            let store = stores[number % 3].clone();
            let stream = numbered(number as u64);
            let commit = Commit::default().appends(&stream, 0, 1).moves("p", PoolOp::Hold(1));
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
        let after = level(&world.store, "p").await;
        assert_eq!((granted, after.available, after.held), (7, 0, 7));
    });
}

#[test]
fn t04_a_statement_by_hand_is_not_overwritten() {
    on_runtime(async {
        let world = World::new().await;
        world.store.commit(Commit::default().moves("p", PoolOp::Supply(10))).await.unwrap();
        let mut host = connection(&world.database).await;
        let mut by_hand = host.begin().await.unwrap();
        run(&mut by_hand, "update commerce.pools set available = available + 100").await;
        let store = world.store.clone();
        let hold =
            tokio::spawn(async move { store.commit(Commit::default().moves("p", PoolOp::Hold(4))).await });
        tokio::time::sleep(Duration::from_millis(50)).await;
        by_hand.commit().await.unwrap();
        hold.await.unwrap().unwrap();
        assert_eq!(level(&world.store, "p").await.available, 106);
    });
}

#[test]
fn t05_errors_are_told_apart_by_sqlstate() {
    on_runtime(async {
        let world = World::new().await;
        // 42P01: nothing is there.
        let empty = Settings::default().with_schema(Schema::new("nowhere").unwrap());
        let nowhere = PgStore::new(options(&world.database), empty);
        let error = port(nowhere.commit(Commit::default().marked("m")).await.unwrap_err());
        assert_eq!((error.kind, error.effect), (PortErrorKind::Invalid, Effect::None));
        assert_eq!(error.source().unwrap().to_string(), "the server answered SQLSTATE 3F000");
        // 42501: no right to do this.
        let role = format!("nobody_{}", world.database.name());
        world.database.psql(&format!("create role {role} login"));
        let denied = PgStore::new(options(&world.database).username(&role), Settings::default());
        let error = port(denied.commit(Commit::default().marked("m")).await.unwrap_err());
        world.database.psql(&format!("drop owned by {role}; drop role {role}"));
        assert_eq!((error.kind, error.effect), (PortErrorKind::Denied, Effect::None));
        // 55P03: a lock that somebody holds.
        let mut settings = Settings::default();
        settings.lock_timeout = Duration::from_millis(50);
        let hasty = PgStore::new(options(&world.database), settings);
        world.store.commit(Commit::default().moves("p", PoolOp::Supply(1))).await.unwrap();
        let mut host = connection(&world.database).await;
        let mut holder = host.begin().await.unwrap();
        run(&mut holder, "select * from commerce.pools for update").await;
        let error = port(hasty.commit(Commit::default().moves("p", PoolOp::Hold(1))).await.unwrap_err());
        assert_eq!((error.kind, error.effect), (PortErrorKind::Timeout, Effect::None));
        holder.rollback().await.unwrap();
        hasty.commit(Commit::default().moves("p", PoolOp::Hold(1))).await.unwrap();
    });
}

#[test]
fn t05_a_refusal_leaves_the_hosts_transaction_usable() {
    on_runtime(async {
        let world = World::new().await;
        let mut host = connection(&world.database).await;
        let mut transaction = host.begin().await.unwrap();
        run(&mut transaction, "create table host_note (note text); insert into host_note values ('kept')")
            .await;
        let short = Commit::default().appends(&stream("s"), 0, 1).moves("p", PoolOp::Hold(1));
        let refused = world.store.commit_in(&mut transaction, short).await;
        assert!(matches!(refused, Err(CommitError::Short(_))), "{refused:?}");
        transaction.commit().await.unwrap();
        assert_eq!(world.database.psql("select note from host_note"), "kept");
        assert_eq!(version(&world.store, &stream("s")).await, 0);
    });
}

#[test]
fn t06_a_session_that_ends_during_a_commit_leaves_its_effect_unknown() {
    on_runtime(async {
        let world = World::new().await;
        world.store.commit(Commit::default().moves("p", PoolOp::Supply(1))).await.unwrap();
        let mut host = connection(&world.database).await;
        let mut holder = host.begin().await.unwrap();
        run(&mut holder, "select * from commerce.pools for update").await;
        let commit = Commit::default().appends(&stream("s"), 0, 1).moves("p", PoolOp::Hold(1)).marked("m");
        let (store, waiting) = (world.store.clone(), commit.clone());
        let task = tokio::spawn(async move { store.commit(waiting).await });
        let ended = "select count(pg_terminate_backend(pid)) from pg_stat_activity \
                     where datname = current_database() and wait_event_type = 'Lock'";
        while world.database.psql(ended) == "0" {}
        let error = port(task.await.unwrap().unwrap_err());
        assert_eq!((error.kind, error.effect), (PortErrorKind::Unavailable, Effect::Unknown));
        holder.rollback().await.unwrap();
        // The same commit again is the way out, whatever became of the first.
        world.store.commit(commit.clone()).await.unwrap();
        let again = world.store.commit(commit).await;
        assert!(matches!(again, Err(CommitError::AlreadyHandled(_))), "{again:?}");
        assert_eq!(level(&world.store, "p").await.held, 1);
    });
}

#[test]
fn t07_a_deadlock_never_reaches_the_caller() {
    on_runtime(async {
        let world = World::new().await;
        let supply = Commit::default().moves("p1", PoolOp::Supply(5)).moves("p2", PoolOp::Supply(5));
        world.store.commit(supply).await.unwrap();
        let mut host = connection(&world.database).await;
        // The host waits so long that the library's transaction is the one that the server ends.
        run(&mut host, "set deadlock_timeout = '60s'").await;
        let mut holder = host.begin().await.unwrap();
        run(&mut holder, "select from commerce.pools where name = 'p2' for update").await;
        let store = PgStore::new(options(&world.database), Settings::default().without_coalescing());
        let hold = Commit::default().moves("p1", PoolOp::Hold(1)).moves("p2", PoolOp::Hold(1));
        let task = tokio::spawn(async move { store.commit(hold).await });
        let waits = "select count(*) from pg_stat_activity \
                     where datname = current_database() and wait_event_type = 'Lock'";
        while world.database.psql(waits) == "0" {}
        run(&mut holder, "select from commerce.pools where name = 'p1' for update").await;
        holder.commit().await.unwrap();
        task.await.unwrap().unwrap();
        assert_eq!(level(&world.store, "p2").await.held, 1);
        let deadlocks = "select deadlocks from pg_stat_database where datname = current_database()";
        let mut seen = world.database.psql(deadlocks);
        for _ in 0..50 {
            // Statistics come a little later.
            if seen != "0" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            seen = world.database.psql(deadlocks);
        }
        assert_ne!(seen, "0", "there was one, and nobody heard of it");
    });
}

#[test]
fn t08_nothing_is_left_in_a_session() {
    on_runtime(async {
        // As behind a pooler that hands out another session for every transaction.
        let world = World::new().await;
        let store = PgStore::new(options(&world.database).statement_cache_capacity(0), Settings::default());
        store.commit(Commit::default().appends(&stream("s"), 0, 1).marked("m")).await.unwrap();
        assert_eq!(version(&store, &stream("s")).await, 1);
        let mut host = connection(&world.database).await;
        let mut transaction = host.begin().await.unwrap();
        let commit = Commit::default().appends(&stream("s"), 1, 1);
        store.commit_in(&mut transaction, commit).await.unwrap();
        let settings = "select current_setting('lock_timeout') || current_setting('enable_seqscan') \
                        || current_setting('plan_cache_mode')";
        let row = sqlx::query(settings).fetch_one(&mut *transaction).await.unwrap();
        assert_eq!(row.get::<String, _>(0), "0onauto");
    });
}

#[test]
fn t08_a_change_of_the_schema_does_not_break_open_connections() {
    on_runtime(async {
        let world = World::new().await;
        for round in 0..3 {
            world.store.commit(Commit::default().appends(&stream("s"), round, 1)).await.unwrap();
            assert_eq!(version(&world.store, &stream("s")).await, round + 1);
            world.database.psql(&format!("alter table commerce.events add column host_{round} text"));
        }
        assert_eq!(log(&world.store).await.len(), 3);
    });
}

#[test]
fn t09_no_amount_is_a_fraction() {
    on_runtime(async {
        let world = World::new().await;
        let columns = "select count(*) from information_schema.columns where table_schema = 'commerce' \
                       and data_type in ('numeric', 'real', 'double precision', 'money')";
        assert_eq!(world.database.psql(columns), "0");
        let commit = Commit::default().moves("p", PoolOp::Supply(i64::MAX));
        world.store.commit(commit).await.unwrap();
        assert_eq!(level(&world.store, "p").await.available, i64::MAX);
    });
}

#[test]
fn t10_times_come_back_to_the_microsecond() {
    on_runtime(async {
        let world = World::new().await;
        let odd = [1, -1, 946_684_799_999_999, 946_684_800_000_001, 1_790_000_000_123_456, -123_456_789];
        let times = odd.into_iter().map(|micros| Timestamp::from_micros(micros).unwrap());
        let times: Vec<_> = times.chain([Timestamp::MIN, Timestamp::MAX]).collect();
        let mut written = append(&stream("s"), 0, 0);
        written.events = times.iter().map(|at| NewEvent { at: *at, ..event() }).collect();
        world.store.commit(Commit::default().appending(written)).await.unwrap();
        let read: Vec<_> = log(&world.store).await.iter().map(|event| event.event.at).collect();
        assert_eq!(read, times);
        let clock = world.store.clock().await.unwrap();
        let now: i64 = world
            .database
            .psql("select (extract(epoch from clock_timestamp()) * 1000000)::bigint")
            .parse()
            .unwrap();
        assert!((clock.now().as_micros() - now).abs() < 10_000_000);
        assert!(clock.now() <= clock.now());
    });
}

#[test]
fn t11_payloads_are_kept_byte_by_byte() {
    on_runtime(async {
        let world = World::new().await;
        let texts = [
            r#"{"b":1,"a":1,"a":2}"#,
            "{\"n\":12345678901234567890.12,\"m\":1.10,\"e\":1e400}",
            r#"{"nul":"\u0000","lone":"\ud800"}"#,
            "{ \"blank\" :\t\"Ä Å ﬁ 𝄞\" }",
        ];
        let mut written = append(&stream("s"), 0, 0);
        written.events =
            texts.iter().map(|text| NewEvent { data: text.as_bytes().into(), ..event() }).collect();
        world.store.commit(Commit::default().appending(written)).await.unwrap();
        let read = log(&world.store).await;
        let read: Vec<_> = read.iter().map(|event| std::str::from_utf8(&event.event.data).unwrap()).collect();
        assert_eq!(read, texts);
    });
}

#[test]
fn t11_a_nul_is_refused_before_it_is_sent() {
    on_runtime(async {
        let world = World::new().await;
        let nul = world.store.commit(Commit::default().claims("a\0b", &stream("s"))).await;
        assert!(matches!(nul, Err(CommitError::Malformed(_))), "{nul:?}");
        let nul = world.store.commit(Commit::default().moves("a\0b", PoolOp::Supply(1))).await;
        assert!(matches!(nul, Err(CommitError::Malformed(_))), "{nul:?}");
    });
}

#[test]
fn t12_versions_do_not_end_at_32_bits() {
    on_runtime(async {
        let world = World::new().await;
        let s = stream("s");
        world.store.commit(Commit::default().appends(&s, 0, 1)).await.unwrap();
        let far = 5_000_000_000_u64;
        world.database.psql(&format!("update commerce.streams set version = {far}"));
        world.store.commit(Commit::default().appends(&s, far, 1)).await.unwrap();
        let event = world.store.read_stream(&s, Version::new(far), 9).await.unwrap();
        assert_eq!(event[0].version, Version::new(far + 1));
    });
}

#[test]
fn t12_migrations_may_run_everywhere_at_once() {
    on_runtime(async {
        let database = commerce_tests::server::Database::new();
        let store = PgStore::new(options(&database), Settings::default());
        let pending = store.migrate_check().await.unwrap();
        assert!(matches!(pending, MigrationStatus::Pending { applied: 0, .. }), "{pending:?}");
        let starts = (0..6).map(|_| {
            let store = PgStore::new(options(&database), Settings::default());
            tokio::spawn(async move { store.migrate().await })
        });
        for start in starts.collect::<Vec<_>>() {
            start.await.unwrap().unwrap();
        }
        assert_eq!(store.migrate_check().await.unwrap(), MigrationStatus::Current);
        assert_eq!(
            database.psql("select count(*) from commerce.migrations"),
            store.migrations().len().to_string()
        );
        store.commit(Commit::default().marked("m")).await.unwrap();
        // What is there outlives another start, and what a newer version did is left alone.
        store.migrate().await.unwrap();
        database.psql("insert into commerce.migrations (version, name) values (999, 'of the future')");
        store.migrate().await.unwrap_err();
        let again = store.commit(Commit { mark: Some(mark("m")), ..Commit::default() }).await;
        assert!(matches!(again, Err(CommitError::AlreadyHandled(_))));
    });
}

#[test]
fn t12_two_schemas_of_one_database_do_not_meet() {
    on_runtime(async {
        let world = World::new().await;
        let settings = Settings::default().with_schema(Schema::new("Other_1").unwrap());
        let other = PgStore::new(options(&world.database), settings);
        other.migrate().await.unwrap();
        other.commit(Commit::default().appends(&stream("s"), 0, 1).claims("k", &stream("s"))).await.unwrap();
        assert_eq!(version(&world.store, &stream("s")).await, 0);
        assert_eq!((log(&other).await.len(), log(&world.store).await.len()), (1, 0));
    });
}

#[test]
fn t12_a_commit_needs_read_committed() {
    on_runtime(async {
        let world = World::new().await;
        let mut host = connection(&world.database).await;
        let mut transaction = host.begin().await.unwrap();
        run(&mut transaction, "set transaction isolation level repeatable read").await;
        let result = world.store.commit_in(&mut transaction, Commit::default().marked("m")).await;
        assert_eq!(port(result.unwrap_err()).kind, PortErrorKind::Invalid);
    });
}
