//! A log in ranges: what is archived is still read, what is dropped is missed by name, and audits go on.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod server;

use std::sync::Arc;

use commerce_adapters_postgres::sqlx::{self, Row};
use commerce_adapters_postgres::{ArchiveError, PartitionState, PgStore};
use commerce_core::kernel::commit::{Commit, Load, StreamQuery};
use commerce_core::kernel::error::PortErrorKind;
use commerce_core::kernel::rebuild::Registry;
use commerce_core::kernel::stream::{Position, Version};
use commerce_core::port::store::{LogQuery, MAX_PAGE, Store, Table};
use commerce_testkit::build::{Draft, stream};
use commerce_testkit::conformance::Fixture;
use commerce_testkit::fake::{Clock, Gateway};
use commerce_testkit::shop::Shop;
use commerce_tests::shopping::registered;
use server::{World, connection, log, on_runtime};

/// So few transactions that a test fills a range.
const WIDTH: u64 = 40;

async fn divided() -> (World, Shop) {
    let world = World::new().await;
    world.store.partition_log(WIDTH).await.unwrap();
    let store = Arc::new(world.store.clone());
    let shop = Shop::on_shared(store, Clock::default(), Gateway::capturing(), 1);
    (world, shop)
}

/// Uses up transactions until the range that was live is closed, and makes new ones.
async fn turn_over(world: &World) {
    let mut host = connection(&world.database).await;
    for _ in 0..WIDTH {
        sqlx::query("select pg_current_xact_id()").execute(&mut host).await.unwrap();
    }
    world.store.partition_log(WIDTH).await.unwrap();
}

/// Archives every range that is closed.
async fn archive_all(store: &PgStore) -> u64 {
    let registry = Registry::standard();
    let mut events = 0;
    while let Some(archived) = store.archive(&registry).await.unwrap() {
        events += archived.events;
    }
    events
}

/// Sells some mugs, archives what was written so far; gives the number of events in the archive.
async fn sold_and_archived(world: &World, shop: &Shop) -> u64 {
    shop.list("MUG", "12.50", 100).await.unwrap();
    for buyer in 1..=3 {
        let cart = shop.cart(buyer, &[("MUG", 2)]).await.unwrap();
        shop.buy(buyer, cart).await.unwrap();
    }
    let written = log(&world.store).await.len() as u64;
    assert_eq!(whole_log_archived(world).await, written);
    written
}

/// Archives every event there is; a transaction of another test may keep a range open for a while.
async fn whole_log_archived(world: &World) -> u64 {
    let mut archived = 0;
    for _ in 0..200 {
        turn_over(world).await;
        archived += archive_all(&world.store).await;
        if rows(world, "select count(*) from commerce.events").await == 0 {
            return archived;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("a range stays open");
}

async fn no_difference(shop: &Shop) -> u64 {
    let report = shop.staff().audit(&Registry::standard()).await.unwrap();
    assert_eq!(report.differences, []);
    report.events
}

async fn rows(world: &World, sql: &'static str) -> i64 {
    let mut host = connection(&world.database).await;
    sqlx::query(sql).fetch_one(&mut host).await.unwrap().get(0)
}

#[test]
fn what_is_archived_is_still_read_and_audits_begin_behind_it() {
    on_runtime(async {
        let (world, shop) = divided().await;
        let archived = sold_and_archived(&world, &shop).await;
        assert_eq!(rows(&world, "select count(*) from commerce.events").await, 0);
        // A reader of the log sees every event, from the start, in order.
        let events = log(&world.store).await;
        assert_eq!(events.len() as u64, archived);
        assert!(events.windows(2).all(|pair| pair[0].position < pair[1].position));
        assert_eq!(no_difference(&shop).await, 0, "nothing of the archive is read");
        // The shop goes on: what was archived is loaded, and new events stand behind it.
        let cart = shop.cart(4, &[("MUG", 2)]).await.unwrap();
        shop.buy(4, cart).await.unwrap();
        assert_eq!(shop.level("MUG").await.unwrap().allocated, 8);
        assert!(no_difference(&shop).await > 0);
        let whole = log(&world.store).await;
        assert_eq!(whole[..events.len()], events[..]);
        for recorded in &whole {
            let found = world.store.read_stream(&recorded.stream, Version::NONE, 1000).await.unwrap();
            assert_eq!(found[0].version, Version::new(1));
        }
        // A second archive adds to the balances of the first.
        let opened = world.store.opening(Table::Pools, None, MAX_PAGE).await.unwrap();
        assert_eq!(whole_log_archived(&world).await, (whole.len() - events.len()) as u64);
        let again = world.store.opening(Table::Pools, None, MAX_PAGE).await.unwrap();
        assert!(again.position > opened.position && again.entries != opened.entries);
        no_difference(&shop).await;
    });
}

#[test]
fn what_is_dropped_is_missed_by_name_and_the_rest_goes_on() {
    on_runtime(async {
        let (world, shop) = divided().await;
        sold_and_archived(&world, &shop).await;
        let order =
            log(&world.store).await.iter().find(|event| &*event.stream.kind == "order").cloned().unwrap();
        // Where other tests used up the ranges that were made ahead, none is live before this.
        world.store.partition_log(WIDTH).await.unwrap();
        let ranges = world.store.partitions().await.unwrap();
        let (archived, live): (Vec<_>, Vec<_>) =
            ranges.into_iter().partition(|range| range.state == PartitionState::Archived);
        assert!(!archived.is_empty());
        let live = &live.last().unwrap().name;
        assert!(matches!(world.store.drop_archived(live).await, Err(ArchiveError::Unknown)));
        assert!(matches!(world.store.drop_archived("x; select 1").await, Err(ArchiveError::Unknown)));
        if archived.len() > 1 {
            let last = &archived.last().unwrap().name;
            assert!(matches!(world.store.drop_archived(last).await, Err(ArchiveError::NotOldest)));
        }
        for range in &archived {
            world.store.drop_archived(&range.name).await.unwrap();
        }
        // Who starts before the beginning is told so instead of missing events.
        let early = world.store.read_all(LogQuery::after(Position::START, 10)).await.unwrap_err();
        assert_eq!(early.kind, PortErrorKind::Invalid, "{early:?}");
        let query = StreamQuery { stream: order.stream.clone(), after: Version::NONE, snapshot_schema: None };
        let load = Load { streams: vec![query], ..Load::default() };
        assert_eq!(world.store.load(load).await.unwrap_err().kind, PortErrorKind::Corrupt);
        let found = world.store.read_stream(&order.stream, Version::NONE, 10).await;
        assert_eq!(found.unwrap_err().kind, PortErrorKind::Corrupt);
        // Behind the beginning everything is as it was; balances are what they were.
        let opening = world.store.opening(Table::Keys, None, MAX_PAGE).await.unwrap();
        let behind = world.store.read_all(LogQuery::after(opening.position, 10)).await.unwrap();
        assert_eq!(behind.events, []);
        no_difference(&shop).await;
        let fresh = stream("fresh");
        world.store.commit(Commit::default().appends(&fresh, 0, 2)).await.unwrap();
        let page = world.store.read_all(LogQuery::after(opening.position, 10)).await.unwrap();
        assert_eq!(page.events.len(), 2);
    });
}

/// The check above can fail: balances that nobody earned are found.
#[test]
fn a_wrong_balance_is_a_difference() {
    on_runtime(async {
        let (world, shop) = divided().await;
        sold_and_archived(&world, &shop).await;
        let mut host = connection(&world.database).await;
        for (wrong, right) in [
            (
                "update commerce.opening_pools set available = available + 1 where name like 'stock:MUG%'",
                "update commerce.opening_pools set available = available - 1 where name like 'stock:MUG%'",
            ),
            (
                "update commerce.opening_keys set id = gen_random_uuid() where name like 'order-number/%'",
                "select 1",
            ),
        ] {
            sqlx::query(wrong).execute(&mut host).await.unwrap();
            let report = shop.staff().audit(&Registry::standard()).await.unwrap();
            assert!(!report.differences.is_empty(), "{wrong}");
            sqlx::query(right).execute(&mut host).await.unwrap();
        }
    });
}

#[test]
fn an_erased_person_leaves_the_opening_entries() {
    on_runtime(async {
        let (world, shop) = divided().await;
        let customer = registered(&shop, 7).await;
        sold_and_archived(&world, &shop).await;
        let personal = "select count(*) from commerce.opening_keys where subject is not null";
        assert_eq!(rows(&world, personal).await, 1);
        no_difference(&shop).await;
        shop.buyer(7).erase_customer(customer).await.unwrap();
        assert_eq!(rows(&world, personal).await, 0);
        no_difference(&shop).await;
    });
}

#[test]
fn ranges_change_hands_while_the_shop_sells() {
    on_runtime(async {
        let (world, shop) = divided().await;
        shop.list("MUG", "12.50", 1_000).await.unwrap();
        let seller = shop.clone();
        let selling = tokio::spawn(async move {
            for buyer in 1..=60 {
                let cart = seller.cart(buyer, &[("MUG", 1)]).await.unwrap();
                seller.buy(buyer, cart).await.unwrap();
            }
        });
        let mut archived = 0;
        while !selling.is_finished() {
            world.store.partition_log(WIDTH).await.unwrap();
            archived += archive_all(&world.store).await;
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        selling.await.unwrap();
        assert!(archived > 0);
        world.store.partition_log(WIDTH).await.unwrap();
        assert_eq!(shop.level("MUG").await.unwrap().allocated, 60);
        assert!(
            rows(&world, "select count(*) from commerce.events_rest").await == 0,
            "every event has its range"
        );
        no_difference(&shop).await;
        let mut seen = std::collections::HashSet::new();
        assert!(log(&world.store).await.iter().all(|event| seen.insert(event.event.id)));
        let both = "select (select count(*) from commerce.events) + (select count(*) from commerce.archive)";
        assert_eq!(i64::try_from(seen.len()).unwrap(), rows(&world, both).await);
    });
}

/// What had no range becomes one, in its turn: nothing before it is archived without it.
#[test]
fn ranges_that_were_not_made_in_time_are_made_later() {
    on_runtime(async {
        let (world, shop) = divided().await;
        shop.list("MUG", "12.50", 100).await.unwrap();
        let mut host = connection(&world.database).await;
        for buyer in 1..=3 {
            for _ in 0..4 * WIDTH {
                sqlx::query("select pg_current_xact_id()").execute(&mut host).await.unwrap();
            }
            let cart = shop.cart(buyer, &[("MUG", 1)]).await.unwrap();
            shop.buy(buyer, cart).await.unwrap();
        }
        let rest = "select count(*) from commerce.events_rest";
        assert!(rows(&world, rest).await > 0);
        let whole = log(&world.store).await;
        world.store.partition_log(WIDTH).await.unwrap();
        assert_eq!(rows(&world, rest).await, 0);
        assert_eq!(log(&world.store).await, whole);
        no_difference(&shop).await;
        assert_eq!(whole_log_archived(&world).await, whole.len() as u64);
        no_difference(&shop).await;
    });
}

/// What was there before is the first range; rights and the view for people follow.
#[test]
fn a_log_that_was_one_table_keeps_its_rows_and_rights() {
    on_runtime(async {
        let world = World::new().await;
        let old = stream("old");
        let commit = Commit::default();
        world.store.commit(commit.clone().appends(&old, 0, 3)).await.unwrap();
        let before = log(&world.store).await;
        let mut host = connection(&world.database).await;
        server::run(
            &mut host,
            "do $$ begin create role shop_of_ranges; exception when duplicate_object then null; end $$; \
            grant select, insert on commerce.events to shop_of_ranges",
        )
        .await;
        world.store.partition_log(1_000_000).await.unwrap();
        world.store.partition_log(1_000_000).await.unwrap();
        assert_eq!(log(&world.store).await, before);
        world.store.commit(commit.appends(&old, 3, 1)).await.unwrap();
        assert_eq!(log(&world.store).await.len(), 4);
        assert_eq!(rows(&world, "select count(*) from commerce.readable_events").await, 4);
        let may = "select (has_table_privilege('shop_of_ranges', 'commerce.events', 'insert') \
                   and not has_table_privilege('shop_of_ranges', 'commerce.events', 'delete'))::int::bigint";
        assert_eq!(rows(&world, may).await, 1);
        server::run(&mut host, "drop owned by shop_of_ranges").await;
        // Nothing is closed yet, so nothing is archived.
        assert_eq!(world.store.archive(&Registry::standard()).await.unwrap(), None);
    });
}

/// Plans go from keys to rows whatever the number of ranges.
#[test]
fn no_read_of_a_divided_log_sorts_or_scans_it() {
    on_runtime(async {
        let (world, shop) = divided().await;
        sold_and_archived(&world, &shop).await;
        let mut host = connection(&world.database).await;
        server::run(&mut host, "set plan_cache_mode = force_generic_plan").await;
        server::run(&mut host, "analyze").await;
        let page = include_str!("../src/sql/page.sql");
        let prepared = format!("prepare page (bigint, bigint, bigint, integer, integer) as {page}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(prepared)).execute(&mut host).await.unwrap();
        server::run(&mut host, "set enable_seqscan = off").await;
        let plan = "explain (analyze, costs off) execute page (0, 0, 1000, 0, 1)";
        let rows = sqlx::raw_sql(plan).fetch_all(&mut host).await.unwrap();
        let text: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert!(text.iter().any(|line| line.contains("Index Scan")), "{text:#?}");
        assert!(!text.iter().any(|line| line.contains("Seq Scan") || line.contains("Sort (")), "{text:#?}");
    });
}

mod conformance {
    //! The contracts are the same on a divided log.

    use super::*;

    async fn fresh() -> Fixture {
        let world = World::new().await;
        world.store.partition_log(10_000).await.unwrap();
        let kept = world.database.clone();
        Fixture::new(world.store.clone())
            .with_lease(world.store)
            .with_reopen(move || {
                let store = PgStore::new(server::options(&kept), server::patient());
                async move { Arc::new(store) as Arc<dyn Store> }
            })
            .with_block_on(|task| server::runtime().handle().block_on(task))
    }

    commerce_testkit::store_conformance!(fresh, block_on = on_runtime);
}
