//! What grows, and what is done about it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod server;

use std::sync::Arc;
use std::time::Duration;

use commerce_adapters_postgres::sqlx::{self, Row};
use commerce_adapters_postgres::{MARK_RETENTION, PgStore};
use commerce_core::kernel::commit::{Commit, Load};
use commerce_core::kernel::error::CommitError;
use commerce_core::kernel::stream::Position;
use commerce_core::port::store::{LogQuery, Store};
use commerce_testkit::build::{Draft, mark, stream};
use commerce_testkit::fake::{Clock, Gateway};
use commerce_testkit::shop::Shop;
use commerce_tests::server::Database;
use server::{World, connection, on_runtime, options, patient};

const DAY: u64 = 24 * 3600;

/// Ages the marks with these numbers.
async fn aged(world: &World, numbers: std::ops::Range<i32>, days: i32) {
    let mut host = connection(&world.database).await;
    let age = "update commerce.marks set at = at - $3 * interval '1 day' \
               where split_part(name, '/', 2)::integer >= $1 and split_part(name, '/', 2)::integer < $2";
    let call = sqlx::query(age).bind(numbers.start).bind(numbers.end).bind(days);
    assert_eq!(call.execute(&mut host).await.unwrap().rows_affected(), numbers.len() as u64);
}

/// So many marks, by the numbers from zero.
async fn marked(world: &World, count: i32) {
    let mut host = connection(&world.database).await;
    let insert = "insert into commerce.marks (name, version, hash, result, tx, position) \
                  select 'test/' || n, 1, gen_random_uuid(), 'ok', 0, 0 from generate_series(0, $1 - 1) n";
    sqlx::query(insert).bind(count).execute(&mut host).await.unwrap();
}

async fn left(world: &World) -> i64 {
    let mut host = connection(&world.database).await;
    sqlx::query("select count(*) from commerce.marks").fetch_one(&mut host).await.unwrap().get(0)
}

#[test]
fn marks_go_when_they_are_old_and_not_before() {
    on_runtime(async {
        let world = World::new().await;
        marked(&world, 3_500).await;
        aged(&world, 0..2_500, 40).await;
        aged(&world, 2_500..3_000, 29).await;
        // What is asked to be kept for a shorter time is kept for the least time all the same.
        assert_eq!(world.store.purge_marks(Duration::from_secs(50 * DAY)).await.unwrap(), 0);
        assert_eq!(world.store.purge_marks(Duration::ZERO).await.unwrap(), 2_500);
        assert_eq!(left(&world).await, 1_000);
        assert_eq!(world.store.purge_marks(MARK_RETENTION).await.unwrap(), 0);
    });
}

#[test]
fn many_may_purge_at_once_while_commits_go_on() {
    on_runtime(async {
        let world = World::new().await;
        marked(&world, 6_000).await;
        aged(&world, 0..5_000, 31).await;
        let purge =
            |store: PgStore| tokio::spawn(async move { store.purge_marks(Duration::ZERO).await.unwrap() });
        let (first, second) = (purge(world.store.clone()), purge(world.other()));
        for number in 0..50 {
            let commit = Commit { mark: Some(mark(&format!("busy-{number}"))), ..Commit::default() };
            world.store.commit(commit.appends(&stream(&format!("s{number}")), 0, 1)).await.unwrap();
        }
        assert_eq!(first.await.unwrap() + second.await.unwrap(), 5_000);
        assert_eq!(left(&world).await, 1_000 + 50);
        // A mark of today still tells a repeat.
        let again = Commit { mark: Some(mark("busy-7")), ..Commit::default() };
        let again = world.store.commit(again.appends(&stream("other"), 0, 1)).await.unwrap_err();
        assert!(matches!(again, CommitError::AlreadyHandled(_)), "{again:?}");
        let load = Load { marks: vec![mark("busy-7").key], ..Load::default() };
        assert!(world.store.load(load).await.unwrap().marks[0].is_some());
    });
}

/// Old marks are found by their index, however many there are.
#[test]
fn purging_does_not_read_what_is_kept() {
    on_runtime(async {
        let world = World::new().await;
        marked(&world, 100_000).await;
        let mut host = connection(&world.database).await;
        sqlx::query("analyze commerce.marks").execute(&mut host).await.unwrap();
        sqlx::query("vacuum commerce.marks").execute(&mut host).await.unwrap();
        let plan = "explain (analyze, buffers, format text) select name from commerce.marks m \
                    where m.at < now() - interval '30 days' limit 1000";
        let rows = sqlx::query(plan).fetch_all(&mut host).await.unwrap();
        let text: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert!(text.iter().any(|line| line.contains("marks_at")), "{text:#?}");
    });
}

/// Rows that were read without an index, by the server's own count.
async fn scanned(database: &Database) -> Vec<(String, i64)> {
    let mut host = connection(database).await;
    // Sessions tell all their counts when they end, and not before for certain.
    let others = "select count(*) from pg_stat_activity where datname = current_database() \
                  and backend_type = 'client backend' and pid <> pg_backend_pid()";
    for patience in (0..200).rev() {
        if sqlx::query_scalar::<_, i64>(others).fetch_one(&mut host).await.unwrap() == 0 {
            break;
        }
        assert!(patience > 0, "a session does not end");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let sql = "select relname::text, seq_scan from pg_stat_user_tables \
               where schemaname = 'commerce' and relname not in ('migrations', 'partitions') order by 1";
    let rows = sqlx::query(sql).fetch_all(&mut host).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// Sells through stores of its own, so that plans are made anew.
async fn sell(database: &Database, seed: u64, buyers: std::ops::Range<u64>) {
    let store = PgStore::new(options(database), patient());
    let shop = Shop::on_shared(Arc::new(store.clone()), Clock::default(), Gateway::capturing(), seed);
    if seed == 1 {
        shop.list("MUG", "12.50", 1_000).await.unwrap();
    }
    for buyer in buyers {
        let cart = shop.cart(buyer, &[("MUG", 1)]).await.unwrap();
        shop.buy(buyer, cart).await.unwrap();
    }
    shop.commerce.run_due().await.unwrap();
}

/// Follows the log to its end.
async fn follow(store: &PgStore) {
    let mut after = Position::START;
    loop {
        let page = store.read_all(LogQuery::after(after, 1_000)).await.unwrap();
        if page.events.is_empty() {
            break;
        }
        after = page.next;
    }
}

const MANY: &str = "
    insert into commerce.streams (id, kind, version, tx)
        select md5('s' || n)::uuid, 'order', 1, 1 from generate_series(1, 20000) n;
    insert into commerce.events (tx, position, id, kind, version, event_id, type, schema, at, correlation, actor,
                                 personal, data)
        select 1, -n, md5('s' || n)::uuid, 'order', 1, md5('e' || n)::uuid, 'Old', 1, now(), md5('s' || n)::uuid,
               '\"system\"', 0, '{}' from generate_series(1, 20000) n;
    insert into commerce.personal (id, kind, version, field, subject, value)
        select md5('s' || n)::uuid, 'order', 1, 1, md5('p' || n)::uuid, 'old' from generate_series(1, 20000) n;
    insert into commerce.keys (name, kind, id)
        select 'old/' || n, 'order', md5('s' || n)::uuid from generate_series(1, 20000) n;
    insert into commerce.pools (name, available) select 'old:' || n, 1 from generate_series(1, 20000) n;
    insert into commerce.marks (name, version, hash, result, tx, position)
        select 'old/' || n, 1, md5('m' || n)::uuid, '{}', 0, 0 from generate_series(1, 20000) n;
    insert into commerce.timers (name, kind, due, ready, payload)
        select 'order:' || md5('s' || n)::uuid || '#old', 'order', now() + interval '1 year',
               now() + interval '1 year', '{}' from generate_series(1, 20000) n;
    analyze";

/// Commits, loads and timers go by indexes from the first row on; readers of the log where it is long.
#[test]
fn no_statement_reads_a_whole_table_however_large() {
    on_runtime(async {
        let World { store, database } = World::new().await;
        drop(store);
        let start = scanned(&database).await;
        sell(&database, 1, 1..10).await;
        assert_eq!(scanned(&database).await, start, "on tables that were empty");
        let mut host = connection(&database).await;
        server::run(&mut host, MANY).await;
        drop(host);
        let start = scanned(&database).await;
        sell(&database, 2, 10..20).await;
        follow(&PgStore::new(options(&database), patient())).await;
        assert_eq!(scanned(&database).await, start, "on tables of 20,000 rows");
        // The count is one that rises.
        sqlx::query("select from commerce.pools where held < 0")
            .execute(&mut connection(&database).await)
            .await
            .unwrap();
        assert_ne!(scanned(&database).await, start);
    });
}
