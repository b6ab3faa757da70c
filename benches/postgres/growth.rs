//! A small shop beside one with a hundred times as many orders.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use commerce_adapters_postgres::sqlx::postgres::PgConnectOptions;
use commerce_adapters_postgres::{PgStore, Settings};
use commerce_benches::order::Order;
use commerce_core::kernel::commit::{Load, StreamQuery};
use commerce_core::kernel::stream::{StreamId, Version};
use commerce_core::port::store::Store;
use commerce_tests::server::Cluster;

use crate::by_hand::Hand;
use crate::rate::{Way, compare, middle};
use crate::through;

const SIZES: [(&str, u64); 2] = [("large", 1_000_000), ("small", 10_000)];
/// Where the numbers of the stored orders begin: below those that are placed later, so ids grow.
const FIRST: u64 = 1 << 30;

pub(crate) async fn print(cluster: &Cluster) {
    println!("\nBeside {} orders that are stored (the first way) {} are\n", SIZES[0].1, SIZES[1].1);
    let mut stores = Vec::new();
    for (name, orders) in SIZES {
        let store = filled(cluster, name, orders).await;
        let bytes = "select sum(pg_total_relation_size(c.oid)) / 1000000 from pg_class c join pg_namespace n \
                     on n.oid = c.relnamespace where n.nspname = 'commerce' and c.relkind = 'r'";
        println!(
            "{name}: {} MB; a load by id takes {} µs",
            cluster.psql(name, bytes),
            load(&store, orders).await
        );
        stores.push(store);
    }
    let alone = |name: &str| PgStore::new(options(cluster, name), crate::one_by_one());
    for (tasks, ways) in [
        (64, [through(stores[0].clone(), Order::commit), through(stores[1].clone(), Order::commit)]),
        (16, [through(alone("large"), Order::commit), through(alone("small"), Order::commit)]),
    ] {
        let kind = if tasks == 64 { "coalesced" } else { "one by one" };
        let names = SIZES.map(|(name, _)| format!("{name}, {kind}"));
        let ways: Vec<(&str, Way)> = names.iter().map(String::as_str).zip(ways.map(Way::Here)).collect();
        compare(cluster, &ways, &[tasks]).await;
    }
}

fn options(cluster: &Cluster, name: &str) -> PgConnectOptions {
    PgConnectOptions::from_str(&cluster.url(name)).unwrap()
}

/// A database with so many orders.
async fn filled(cluster: &Cluster, name: &str, orders: u64) -> PgStore {
    let batch = Arc::new(Hand::new(cluster, name).await.batched());
    let next = Arc::new(AtomicU64::new(0));
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let (batch, next) = (batch.clone(), next.clone());
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(100, Ordering::Relaxed);
                    if number >= orders {
                        return;
                    }
                    batch(Order::new(FIRST + number)).await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    cluster.psql(name, "vacuum analyze");
    cluster.psql(name, "checkpoint");
    PgStore::new(options(cluster, name), Settings::default())
}

/// Microseconds for loading one of the stored orders, in the middle.
async fn load(store: &PgStore, orders: u64) -> u128 {
    let mut spans = Vec::new();
    for number in 0..2_000_u64 {
        let order = Order::new(FIRST + number.wrapping_mul(0x9e37_79b9) % orders);
        let stream = StreamId::new("order", order.id(1));
        let query = StreamQuery { stream, after: Version::NONE, snapshot_schema: Some(1) };
        let start = Instant::now();
        let loaded = store.load(Load { streams: vec![query], ..Load::default() }).await.unwrap();
        spans.push(start.elapsed().as_micros());
        assert_eq!(loaded.streams[0].events.len(), 2);
    }
    middle(spans.into_iter())
}
