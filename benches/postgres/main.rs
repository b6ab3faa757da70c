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
use order::Order;

/// How long one figure is measured.
const SPAN: Duration = Duration::from_millis(1500);
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
    println!("\nOrders per second (2 events of 600 bytes, 3 holds, key, mark, timer)\n");
    println!("{:20} {:>9} {:>9} {:>9}", "tasks", 1, 16, 64);
    for (name, place) in &ways {
        let mut row = Vec::new();
        for tasks in [1, 16, 64] {
            let mut rates = Vec::new();
            for _ in 0..3 {
                rates.push(rate(place, tasks).await);
            }
            rates.sort_unstable();
            row.push(rates[1]);
        }
        println!("{name:20} {:>9} {:>9} {:>9}", row[0], row[1], row[2]);
    }
    hot(cluster).await;
}

/// All orders want one unit of the same pool.
async fn hot(cluster: &Cluster) {
    let ours = store(cluster, "hot", Settings::default()).await;
    let hand = by_hand::Hand::new(cluster, "hot_hand").await;
    let ways: Vec<(&str, Place)> =
        vec![("coalesced", hot_through(ours)), ("(a) UPDATE in a transaction", hand.hot())];
    println!("\nOne hot pool, 64 tasks, holds per second\n");
    for (name, place) in &ways {
        let mut rates = Vec::new();
        for _ in 0..3 {
            rates.push(rate(place, 64).await);
        }
        rates.sort_unstable();
        println!("{name:30} {:>9}", rates[1]);
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

/// Orders per second with this many tasks.
async fn rate(place: &Place, tasks: u64) -> u64 {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    let stop = Arc::new(AtomicBool::new(false));
    let placed = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
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
    placed.load(Ordering::Relaxed) * 1000 / u64::try_from(start.elapsed().as_millis()).unwrap()
}
