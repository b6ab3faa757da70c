//! Placing orders on PostgreSQL: the adapter beside three ways of writing the same rows by hand.
//!
//! `cargo bench -p commerce-benches --features postgres --bench postgres`. Starts a server of its own, with
//! `fsync` on. Every figure is the median of three runs; ratios compare runs of one round.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a bench measures, prints and fails by panicking"
)]

mod by_hand;
mod cpu;
mod log;
mod order;
mod trips;

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use commerce_adapters_postgres::sqlx::postgres::PgConnectOptions;
use commerce_adapters_postgres::{PgStore, Settings};
use commerce_core::port::store::Store;
use commerce_tests::server::Cluster;
use cpu::Cpu;
use order::Order;

/// How long one figure is measured.
const SPAN: Duration = Duration::from_secs(1);
/// Further pools than one order touches.
pub(crate) const SKUS: u64 = 1000;

/// Somebody who places an order with this number; gives how many were placed.
type Place = Arc<dyn Fn(Order) -> std::pin::Pin<Box<dyn Future<Output = u64> + Send>> + Send + Sync>;

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cluster = Cluster::start(true);
    runtime.block_on(run(&cluster));
}

async fn run(cluster: &Cluster) {
    trips::print(cluster).await;
    let ours = store(cluster, "ours", Settings::default()).await;
    let single =
        store(cluster, "single", Settings::default().without_coalescing().with_connections(16)).await;
    let hand = by_hand::Hand::new(cluster, "hand").await;
    let ways: Vec<(&str, Place)> = vec![
        ("coalesced", through(ours)),
        ("one by one", through(single)),
        ("(a) transaction", hand.clone().transaction()),
        ("(b) one statement", hand.clone().statement()),
        ("(c) batches of 100", hand.batched()),
    ];
    // What is measured first would pay for the server's first writes.
    for (_, place) in &ways {
        measure(cluster, place, 4).await;
    }
    println!("\nOrders per second (2 events of 600 bytes, 3 holds, key, mark, timer), and");
    println!("microseconds of processor time per order: server + client\n");
    println!("{:20} {:>20} {:>20} {:>20}", "tasks", 1, 16, 64);
    // A word on the command line picks the ways whose names hold it.
    let wanted = std::env::args().skip(1).find(|word| !word.starts_with('-')).unwrap_or_default();
    for (name, place) in ways.iter().filter(|(name, _)| name.contains(&wanted)) {
        let mut row = Vec::new();
        for tasks in [1, 16, 64] {
            row.push(median(cluster, place, tasks).await.to_string());
        }
        println!("{name:20} {:>20} {:>20} {:>20}", row[0], row[1], row[2]);
    }
    hot(cluster).await;
    log::print(cluster).await;
}

/// All orders want one unit of the same pool.
async fn hot(cluster: &Cluster) {
    let ours = store(cluster, "hot", Settings::default()).await;
    let hand = by_hand::Hand::new(cluster, "hot_hand").await;
    let ways: Vec<(&str, Place)> =
        vec![("coalesced", hot_through(ours)), ("(a) UPDATE in a transaction", hand.hot())];
    println!("\nOne hot pool, 64 tasks, holds per second\n");
    for (name, place) in &ways {
        println!("{name:30} {:>20}", median(cluster, place, 64).await.to_string());
    }
}

async fn store(cluster: &Cluster, name: &str, settings: Settings) -> PgStore {
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

fn through(store: PgStore) -> Place {
    Arc::new(move |order| {
        let store = store.clone();
        Box::pin(async move { store.commit(order.commit()).await.map(|_| 1).unwrap() })
    })
}

fn hot_through(store: PgStore) -> Place {
    Arc::new(move |order| {
        let store = store.clone();
        Box::pin(async move { store.commit(order.hot()).await.map(|_| 1).unwrap() })
    })
}

/// A rate, and what it cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Figure {
    rate: u64,
    server: u64,
    client: u64,
}

impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} + {})", self.rate, self.server, self.client)
    }
}

/// The middle one of three runs.
async fn median(cluster: &Cluster, place: &Place, tasks: u64) -> Figure {
    let mut figures = Vec::new();
    for _ in 0..3 {
        figures.push(measure(cluster, place, tasks).await);
    }
    figures.sort_unstable();
    figures[1]
}

/// Orders per second with this many tasks.
async fn measure(cluster: &Cluster, place: &Place, tasks: u64) -> Figure {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    let stop = Arc::new(AtomicBool::new(false));
    let placed = Arc::new(AtomicU64::new(0));
    let (start, before) = (Instant::now(), Cpu::now(cluster.process()));
    let workers: Vec<_> = (0..tasks)
        .map(|_| {
            let (place, stop, placed) = (place.clone(), stop.clone(), placed.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let order = Order::new(NUMBER.fetch_add(100, Ordering::Relaxed));
                    placed.fetch_add(place(order).await, Ordering::Relaxed);
                }
            })
        })
        .collect();
    tokio::time::sleep(SPAN).await;
    stop.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.await.unwrap();
    }
    let (placed, millis) =
        (placed.load(Ordering::Relaxed), u64::try_from(start.elapsed().as_millis()).unwrap());
    let (server, client) = Cpu::now(cluster.process()).per(before, placed);
    Figure { rate: placed * 1000 / millis, server, client }
}
