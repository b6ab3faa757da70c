//! The PostgreSQL adapter beside the same rows written by hand, on one server, in one run.
//!
//! `cargo bench -p commerce-benches --features postgres --bench postgres -- [SECTION…]`, sections `trips`,
//! `orders`, `events`, `hot`, `log`, `lengths`, `checkouts`, `timers`, `growth`, `relays`; all but
//! the last two, which fill a database for a while, where none is named. Starts a server of its own, with `fsync` on. Every
//! figure is the middle one of several rounds, in which the ways take turns; ratios compare runs of one round.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a bench measures, prints and fails by panicking"
)]

mod by_hand;
mod bytes;
mod checkouts;
mod growth;
mod hot;
mod lengths;
mod log;
mod pgbench;
mod protocol;
mod rate;
mod relays;
mod timers;
mod trips;

use std::str::FromStr;
use std::sync::Arc;

use commerce_adapters_postgres::sqlx::postgres::PgConnectOptions;
use commerce_adapters_postgres::{PgStore, Settings};
use commerce_benches::order::{self, Order};
use commerce_core::kernel::commit::Commit;
use commerce_core::port::store::Store;
use commerce_tests::server::Cluster;

use by_hand::Hand;
use pgbench::Script;
use rate::{Place, Way, compare};

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cluster = Cluster::start(true);
    runtime.block_on(run(&cluster));
}

async fn run(cluster: &Cluster) {
    let asked: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wants = |section: &str| asked.is_empty() || asked.iter().any(|word| word == section);
    if wants("trips") {
        trips::print(cluster).await;
    }
    if wants("orders") {
        orders(cluster).await;
    }
    if wants("events") {
        events(cluster).await;
    }
    if wants("hot") {
        hot::print(cluster).await;
    }
    if wants("log") {
        log::print(cluster).await;
    }
    if wants("lengths") {
        lengths::print(cluster).await;
    }
    if wants("checkouts") {
        checkouts::print(cluster).await;
    }
    if wants("timers") {
        timers::print(cluster).await;
    }
    if asked.iter().any(|word| word == "relays") {
        relays::print(cluster).await;
    }
    if asked.iter().any(|word| word == "growth") {
        growth::print(cluster).await;
    }
}

async fn orders(cluster: &Cluster) {
    let ours = store(cluster, "ours", Settings::default()).await;
    let single = store(cluster, "single", one_by_one()).await;
    let hand = Hand::new(cluster, "hand").await;
    println!("\nOrders per second (2 events of 600 bytes, 3 holds, key, mark, timer), and");
    println!("microseconds of processor time per order: server + client\n");
    let ways = [
        ("coalesced", Way::Here(through(ours, Order::commit))),
        ("one by one", Way::Here(through(single, Order::commit))),
        ("(a) BEGIN, n statements, COMMIT", Way::Here(hand.clone().transaction())),
        ("(b) one statement", Way::Here(hand.clone().statement())),
        ("(c) batches of 100", Way::Here(hand.batched())),
        ("(b) by pgbench, ≤ 16 sessions", Way::Pgbench(Script::order("hand", 16))),
        ("(b) by pgbench, ≤ 64 sessions", Way::Pgbench(Script::order("hand", 64))),
    ];
    compare(cluster, &ways, &[1, 16, 64, 256]).await;
}

/// Appending one event to a new stream, beside the server's own load generator.
async fn events(cluster: &Cluster) {
    let ours = store(cluster, "event", Settings::default()).await;
    let single = store(cluster, "event_single", one_by_one()).await;
    Hand::new(cluster, "event_hand").await;
    println!("\nEvents of 600 bytes per second, each in a commit and a stream of its own\n");
    let ways = [
        ("coalesced", Way::Here(through(ours, Order::single))),
        ("one by one", Way::Here(through(single, Order::single))),
        ("by pgbench, ≤ 16 sessions", Way::Pgbench(Script::event("event_hand", 16))),
        ("by pgbench, ≤ 64 sessions", Way::Pgbench(Script::event("event_hand", 64))),
    ];
    compare(cluster, &ways, &[1, 16, 64]).await;
}

/// Without coalescing.
pub(crate) fn one_by_one() -> Settings {
    Settings::default().without_coalescing().with_connections(16)
}

/// A migrated database with stock.
pub(crate) async fn store(cluster: &Cluster, name: &str, settings: Settings) -> PgStore {
    let store = PgStore::new(database(cluster, name), settings);
    store.migrate().await.unwrap();
    store.commit(order::stock()).await.unwrap();
    store
}

/// A fresh database.
pub(crate) fn database(cluster: &Cluster, name: &str) -> PgConnectOptions {
    cluster.psql("postgres", &format!("create database {name}"));
    PgConnectOptions::from_str(&cluster.url(name)).unwrap()
}

/// Commits something of every order.
pub(crate) fn through(store: PgStore, part: fn(Order) -> Commit) -> Place {
    Arc::new(move |order| {
        let store = store.clone();
        Box::pin(async move { store.commit(part(order)).await.map(|_| 1).unwrap() })
    })
}
