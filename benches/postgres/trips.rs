//! How many statements the server sees for a load and a commit, by its own count.

use std::sync::Arc;

use commerce_adapters_postgres::{PgStore, Settings};
use commerce_core::app::checkout::CheckoutRequest;
use commerce_core::kernel::commit::{Load, StreamQuery};
use commerce_core::kernel::mark::MarkKey;
use commerce_core::kernel::pool::PoolKey;
use commerce_core::kernel::stream::{StreamId, Version};
use commerce_core::port::store::Store;
use commerce_testkit::fake::{Clock, Gateway};
use commerce_testkit::shop::Shop;
use commerce_tests::server::Cluster;

use crate::order::Order;
use crate::store;

/// Statements that the server executed in a database, those of this count left out.
fn statements(cluster: &Cluster) -> u64 {
    let sql = "select coalesce(sum(s.calls), 0) from pg_stat_statements s join pg_database d on d.oid = s.dbid \
               where d.datname = 'trips'";
    cluster.psql("postgres", sql).parse().unwrap()
}

pub(crate) async fn print(cluster: &Cluster) {
    cluster.psql("postgres", "create extension if not exists pg_stat_statements");
    let store: PgStore = store(cluster, "trips", Settings::default()).await;
    println!("Statements that the server counts (no BEGIN, no COMMIT, no ping among them)\n");
    println!("{:>8} {:>8} {:>8}", "lines", "load", "commit");
    for (lines, number) in [(3_u64, 1_u64), (30, 2), (300, 3)] {
        let order = Order::new(number * 7);
        let pools: Vec<String> = (0..lines).map(|sku| format!("stock:SKU-{sku}@main")).collect();
        let load = Load {
            streams: vec![StreamQuery {
                stream: StreamId::new("order", order.id(1)),
                after: Version::NONE,
                snapshot_schema: None,
            }],
            pools: pools.iter().map(|pool| PoolKey::new(pool.as_str())).collect(),
            marks: vec![MarkKey::new("command", order.id(4).to_string())],
            ..Load::default()
        };
        let before = statements(cluster);
        store.load(load).await.unwrap();
        let loaded = statements(cluster);
        store.commit(order.with_pools(pools.into_iter())).await.unwrap();
        let committed = statements(cluster);
        println!("{lines:>8} {:>8} {:>8}", loaded - before, committed - loaded);
    }
    let (clock, gateway) = (Clock::default(), Gateway::capturing());
    let shop = Shop::on_shared(Arc::new(store), clock, gateway, 1);
    shop.list("MUG", "12.50", 1000).await.unwrap();
    for buyer in 1..3 {
        let cart = shop.cart(buyer, &[("MUG", 2)]).await.unwrap();
        let total = shop.buyer(buyer).quote(cart).await.unwrap().total;
        let before = statements(cluster);
        shop.buyer(buyer).checkout(CheckoutRequest::new(cart, total)).await.unwrap();
        println!("\na whole checkout: {} statements", statements(cluster) - before);
    }
}
