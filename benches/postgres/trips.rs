//! Statements by the server's own count, and round trips by the messages on the wire.

use std::sync::Arc;

use commerce_adapters_postgres::sqlx::postgres::PgConnectOptions;
use commerce_adapters_postgres::{PgStore, Settings};
use commerce_benches::order::{self, Order};
use commerce_core::app::checkout::CheckoutRequest;
use commerce_core::kernel::commit::{Load, StreamQuery};
use commerce_core::kernel::mark::MarkKey;
use commerce_core::kernel::pool::PoolKey;
use commerce_core::kernel::stream::{StreamId, Version};
use commerce_core::port::store::Store;
use commerce_testkit::fake::{Clock, Gateway};
use commerce_testkit::shop::Shop;
use commerce_tests::server::Cluster;

use crate::protocol::Trips;

/// Both counts.
struct Counts<'c> {
    cluster: &'c Cluster,
    trips: Trips,
}

impl Counts<'_> {
    /// Statements that the server executed in the database, and round trips.
    fn now(&self) -> (u64, u64) {
        let sql = "select coalesce(sum(s.calls), 0) from pg_stat_statements s \
                   join pg_database d on d.oid = s.dbid where d.datname = 'trips'";
        (self.cluster.psql("postgres", sql).parse().unwrap(), self.trips.so_far())
    }

    fn since(&self, before: (u64, u64)) -> String {
        let now = self.now();
        format!("{} / {}", now.0 - before.0, now.1 - before.1)
    }
}

pub(crate) async fn print(cluster: &Cluster) {
    cluster.psql("postgres", "create extension if not exists pg_stat_statements");
    let counts = Counts { cluster, trips: Trips::default() };
    let port = counts.trips.count(cluster.socket()).await;
    crate::database(cluster, "trips");
    let options = PgConnectOptions::new().host("127.0.0.1").port(port).username("postgres").database("trips");
    let store = PgStore::new(options, Settings::default());
    store.migrate().await.unwrap();
    store.commit(order::stock()).await.unwrap();
    println!("Statements that the server counts / round trips on the wire\n");
    println!("{:>8} {:>8} {:>8}", "lines", "load", "commit");
    for (lines, number) in [(3_u64, 1_u64), (30, 2), (300, 3)] {
        let order = Order::new(number * 7);
        let pools: Vec<String> = (0..lines).map(|sku| format!("stock:SKU-{sku}@main")).collect();
        let stream = StreamId::new("order", order.id(1));
        let query = StreamQuery { stream, after: Version::NONE, snapshot_schema: None };
        let load = Load {
            streams: vec![query],
            pools: pools.iter().map(|pool| PoolKey::new(pool.as_str())).collect(),
            marks: vec![MarkKey::new("command", order.id(4).to_string())],
            ..Load::default()
        };
        let before = counts.now();
        // The connection's first load prepares the statement: a second one tells what a load is.
        store.load(load.clone()).await.unwrap();
        let prepared = counts.since(before);
        let before = counts.now();
        store.load(load).await.unwrap();
        let loaded = counts.since(before);
        let before = counts.now();
        store.commit(order.with_pools(pools.into_iter())).await.unwrap();
        println!("{lines:>8} {loaded:>8} {:>8}   (the load before it: {prepared})", counts.since(before));
    }
    let (clock, gateway) = (Clock::default(), Gateway::capturing());
    let shop = Shop::on_shared(Arc::new(store), clock, gateway, 1);
    shop.list("MUG", "12.50", 1000).await.unwrap();
    println!();
    for buyer in 1..4 {
        let cart = shop.cart(buyer, &[("MUG", 2)]).await.unwrap();
        let total = shop.buyer(buyer).quote(cart).await.unwrap().total;
        let before = counts.now();
        shop.buyer(buyer).checkout(CheckoutRequest::new(cart, total)).await.unwrap();
        println!("a whole checkout: {}", counts.since(before));
    }
}
