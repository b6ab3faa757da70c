//! G10: a shop on PostgreSQL sells 50 orders a second while everything beside its store is on a Redis of its
//! own: product pages, limits, sessions, and the messages of its relay. Redis is killed, paused for half a
//! minute, flushed, full, made to evict, and replaced by a replica that lags.
//!
//! Whatever happens there: no caller sees an error, every acknowledged order is in the store, nothing is
//! oversold, and no event is lost. A Redis that is flushed, evicts or lags loses messages that it had taken: then
//! the log still has all of them, and a relay under another name brings them; none takes effect twice.
//!
//! What fails a test are counts. Times are printed, beside those of a healthy run of the same test.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::panic, reason = "a test fails by panicking")]
#![allow(
    clippy::use_debug,
    clippy::indexing_slicing,
    reason = "figures are printed; a test fails by panicking"
)]

mod fault;
mod heard;
mod line;
mod visits;

use std::fs::File;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use commerce_adapters_memory::platform;
use commerce_adapters_postgres::sqlx::postgres::PgConnectOptions;
use commerce_adapters_postgres::{PgStore, Settings};
use commerce_adapters_redis::{OpenError, Risk};
use commerce_core::port::store::Store;
use commerce_core::prelude::*;
use commerce_testkit::check::{Books, Findings};
use commerce_testkit::fake::{Clock, Gateway};
use commerce_testkit::shop::Shop;
use commerce_tests::server::Database;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::time::sleep;

use fault::{Fault, Server};
use line::{Left, Line};
use visits::{Outcome, RARE, RARE_UNITS, Side, Visits};

/// How long visitors come before anything is measured: connections and plans are made then.
const WARM: Duration = Duration::from_secs(2);
/// How long it is healthy first.
const HEALTHY: Duration = Duration::from_secs(5);
/// How long visitors come before and behind a fault.
const AROUND: Duration = Duration::from_secs(1);
/// The name of the shop at Redis.
const SHOP: &str = "mugs";

async fn shop(database: &Database) -> Shop {
    let store = PgStore::new(PgConnectOptions::from_str(database.url()).unwrap(), Settings::default());
    store.migrate().await.unwrap();
    let (gateway, store) = (Gateway::capturing(), Arc::new(store));
    let commerce = Commerce::from_arc(store, platform()).with_shared_gateway(Arc::new(gateway.clone()));
    Shop { commerce, clock: Clock::default(), gateway }
}

/// Visitors come while something happens; what has become of them.
async fn during(visits: &Arc<Visits>, first: u64, fault: impl Future<Output = ()>) -> Outcome {
    let (stop, stopped) = watch::channel(false);
    let (here, begun) = (visits.clone(), stop);
    let coming = tokio::spawn(async move { here.come(first, stopped).await });
    fault.await;
    begun.send_replace(true);
    coming.await.unwrap()
}

/// The cache answers again and stops failing.
async fn heals(visits: &Visits) {
    let before = visits.side.hits_and_failures();
    for _ in 0..300 {
        sleep(Duration::from_millis(100)).await;
        let (hits, failures) = visits.side.hits_and_failures();
        if hits > before.0 + 50 {
            println!("{failures} calls of the cache failed");
            return;
        }
    }
    panic!("the cache does not heal: {before:?}, {:?}", visits.side.hits_and_failures());
}

/// By the store alone, when nobody works on it any more: every acknowledged order is there, and nothing is sold that is not.
async fn judge(shop: &Shop, outcomes: &[Outcome]) {
    let store: &dyn Store = &**shop.commerce.store();
    let mut books = Books::default();
    let findings = Findings::read(&mut books, store, &shop.gateway.ledger()).await.unwrap();
    assert!(findings.hold(), "{:#?}", findings.breaches());
    let errors: Vec<&String> = outcomes.iter().flat_map(|outcome| &outcome.errors).collect();
    assert!(errors.is_empty(), "{} errors: {:?}", errors.len(), &errors[..errors.len().min(5)]);
    let orders: Vec<_> = outcomes.iter().flat_map(|outcome| &outcome.orders).collect();
    let lost = orders.iter().filter(|order| books.get::<Order>(***order).is_none()).count();
    let rare: u32 = outcomes.iter().map(|outcome| outcome.rare).sum();
    let level = shop.level(RARE).await.unwrap();
    println!("{} orders acknowledged, {lost} lost, {rare} of {RARE_UNITS} rare units sold", orders.len());
    assert_eq!((lost, rare, level.available), (0, RARE_UNITS, 0));
    let made = books.all::<Order>().filter(|(_, order)| order.status() == OrderStatus::Confirmed).count();
    assert_eq!(made, orders.len(), "no order that nobody was told of");
}

async fn goes_on_while_redis_is(fault: Fault) {
    let database = Database::new();
    let mut server = Server::start(fault);
    let shop = shop(&database).await;
    let visits = Visits::to(shop.clone(), Side::on(&server.url(), SHOP)).await;
    if fault == Fault::Evicting {
        // A cache may be on it; a broker has to be told that it may lose messages there.
        let refused = line::broker(&server.url(), SHOP, false).await.unwrap_err();
        assert!(matches!(refused, OpenError::Unsafe(Risk::Evicts(_))), "{refused:?}");
    }
    let broker = line::broker(&server.url(), SHOP, fault == Fault::Evicting).await.unwrap();
    let mut line = Line::from(&shop.commerce, broker);
    let warm = during(&visits, 2_000_000, sleep(WARM)).await;
    let healthy = during(&visits, 0, sleep(HEALTHY)).await;
    healthy.print("healthy");
    let faulty = during(&visits, 1_000_000, async {
        sleep(AROUND).await;
        fault.happens(&mut server, &mut line).await;
        heals(&visits).await;
        sleep(AROUND).await;
    });
    let faulty = faulty.await;
    faulty.print(&format!("{fault:?}"));
    let ratio = faulty.p99_of_checkouts().as_micros() * 100 / healthy.p99_of_checkouts().as_micros().max(1);
    println!("p99 of checkouts: {}.{:02} of the healthy run (meant: up to 3)", ratio / 100, ratio % 100);
    let mut told = line.settle("first", fault.loses()).await;
    println!("{fault:?}: {told:?}");
    if matches!(fault, Fault::Flushed | Fault::FailedOver) {
        assert!(told.missing > 0, "what was lost is not there by itself");
    }
    if fault.loses() {
        told = line.publish_again().await;
        println!("published again: {told:?}");
    }
    assert_eq!((told.missing, told.doubled), (0, 0), "{told:?}");
    assert_eq!(line.end().await, Left::default());
    judge(&shop, &[warm, healthy, faulty]).await;
}

/// One at a time, also where every test is a process: each needs the machine to itself.
fn alone(fault: Fault) {
    let turn = File::create(std::env::temp_dir().join("commerce-redis-gone.turn")).unwrap();
    turn.lock().unwrap();
    Runtime::new().unwrap().block_on(goes_on_while_redis_is(fault));
}

#[test]
fn g10_orders_go_on_while_redis_is_killed() {
    alone(Fault::Killed);
}

#[test]
fn g10_orders_go_on_while_redis_is_paused() {
    alone(Fault::Paused);
}

#[test]
fn g10_orders_go_on_while_redis_is_flushed() {
    alone(Fault::Flushed);
}

#[test]
fn g10_orders_go_on_while_redis_is_full() {
    alone(Fault::Full);
}

#[test]
fn g10_orders_go_on_while_redis_evicts() {
    alone(Fault::Evicting);
}

#[test]
fn g10_orders_go_on_while_redis_fails_over_to_a_replica_that_lags() {
    alone(Fault::FailedOver);
}
