//! Whole checkouts: load, decide, place, pay at a gateway that answers at once and captures, confirm.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use commerce_adapters_postgres::{PgStore, Settings};
use commerce_benches::cpu::Cpu;
use commerce_core::app::checkout::{CheckoutRequest, CheckoutStatus};
use commerce_core::value::id::CartId;
use commerce_core::value::money::Money;
use commerce_testkit::fake::{Clock, Gateway};
use commerce_testkit::shop::Shop;
use commerce_tests::server::Cluster;

use crate::bytes::Bytes;
use crate::database;
use crate::rate::middle;

/// Tasks, and how many carts they buy in a round.
const LOADS: [(usize, u64); 3] = [(1, 400), (16, 1_600), (64, 3_200)];
const ROUNDS: usize = 3;
const SKUS: u64 = 200;

/// A cart that is ready to be bought.
type Ready = (u64, CartId, Money);

pub(crate) async fn print(cluster: &Cluster) {
    let store = PgStore::new(database(cluster, "checkouts"), Settings::default());
    store.migrate().await.unwrap();
    let shop = Shop::on_shared(Arc::new(store), Clock::default(), Gateway::capturing(), 1);
    for sku in 0..SKUS {
        shop.list(&format!("SKU-{sku}"), "12.50", 1_000_000).await.unwrap();
    }
    println!(
        "\nWhole checkouts of 3 lines per second (microseconds of processor time each: server + client),"
    );
    println!("and how long one takes (median, 99th percentile)\n");
    buy(&shop, 4, ready(&shop, 100).await).await;
    cluster.psql("checkouts", "analyze");
    let mut added = String::new();
    for (tasks, carts) in LOADS {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let ready = ready(&shop, carts).await;
            let bytes = Bytes::now(cluster, "checkouts");
            let before = Cpu::now(cluster.process());
            let (rate, half, most) = buy(&shop, tasks, ready).await;
            rounds.push((rate, half, most, Cpu::now(cluster.process()).per(before, carts)));
            added = Bytes::now(cluster, "checkouts").per(bytes, carts);
        }
        let (rate, half, most, (server, client)) = middle(rounds.into_iter());
        println!("{tasks:>6} tasks: {rate:>6} ({server} + {client})   {half:?}   {most:?}");
    }
    println!("\nBytes per checkout, its cart left out (64 tasks): {added}");
    let lines: i64 = cluster.psql("checkouts", "select sum(allocated) from commerce.pools").parse().unwrap();
    let orders: i64 = cluster
        .psql("checkouts", "select count(*) from commerce.events where type = 'OrderConfirmed'")
        .parse()
        .unwrap();
    assert_eq!(lines, orders * 3, "units promised and units of confirmed orders");
}

/// Carts of three lines, made by many at once.
async fn ready(shop: &Shop, carts: u64) -> Vec<Ready> {
    static BUYER: AtomicU64 = AtomicU64::new(1);
    let first = BUYER.fetch_add(carts, Ordering::Relaxed);
    let makers: Vec<_> = (0..64)
        .map(|maker| {
            let shop = shop.clone();
            tokio::spawn(async move {
                let mut made = Vec::new();
                for buyer in (first + maker..first + carts).step_by(64) {
                    let skus = [0, 67, 131].map(|line| format!("SKU-{}", (buyer * 7 + line) % SKUS));
                    let lines = skus.each_ref().map(|sku| (sku.as_str(), 1));
                    let cart = shop.cart(buyer, &lines).await.unwrap();
                    let total = shop.buyer(buyer).quote(cart).await.unwrap().total;
                    made.push((buyer, cart, total));
                }
                made
            })
        })
        .collect();
    let mut all = Vec::new();
    for maker in makers {
        all.extend(maker.await.unwrap());
    }
    all
}

/// Buys them all with so many tasks: checkouts per second, the median and the 99th percentile.
async fn buy(shop: &Shop, tasks: usize, carts: Vec<Ready>) -> (u64, Duration, Duration) {
    let total = carts.len();
    let start = Instant::now();
    let buyers: Vec<_> = (0..tasks)
        .map(|task| {
            let shop = shop.clone();
            let mine: Vec<Ready> = carts.iter().skip(task).step_by(tasks).copied().collect();
            tokio::spawn(async move {
                let mut spans = Vec::new();
                for (buyer, cart, total) in mine {
                    let start = Instant::now();
                    let request = CheckoutRequest::new(cart, total);
                    let receipt = shop.buyer(buyer).checkout(request).await.unwrap();
                    assert_eq!(receipt.status, CheckoutStatus::Confirmed);
                    spans.push(start.elapsed());
                }
                spans
            })
        })
        .collect();
    let mut spans = Vec::new();
    for buyer in buyers {
        spans.extend(buyer.await.unwrap());
    }
    let took = u64::try_from(start.elapsed().as_micros()).unwrap();
    spans.sort_unstable();
    let rate = total as u64 * 1_000_000 / took;
    (rate, spans[total / 2], spans[total * 99 / 100])
}
