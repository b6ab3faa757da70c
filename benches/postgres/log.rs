//! Reading the log beside `COPY` of the same rows; bytes per order.

use std::str::FromStr;
use std::time::Instant;

use commerce_adapters_postgres::sqlx::postgres::{PgConnectOptions, PgPoolCopyExt, PgPoolOptions};
use commerce_adapters_postgres::{PgStore, Settings};
use commerce_benches::order::Order;
use commerce_core::kernel::stream::Position;
use commerce_core::port::store::{LogQuery, Store};
use commerce_tests::server::Cluster;

use crate::bytes::Bytes;
use crate::rate::{hundredths, middle};
use crate::store;

/// Orders whose events are read.
const ORDERS: u64 = 50_000;

pub(crate) async fn print(cluster: &Cluster) {
    let store = store(cluster, "log", Settings::default()).await;
    cluster.psql("log", "checkpoint");
    let before = Bytes::now(cluster, "log");
    fill(&store).await;
    println!("\nBytes per order (64 tasks): {}", Bytes::now(cluster, "log").per(before, ORDERS));
    cluster.psql("log", "vacuum analyze");
    let mut rounds = Vec::new();
    replay(&store).await;
    for _ in 0..5 {
        rounds.push((replay(&store).await, copy(cluster, "log", 2 * ORDERS).await));
    }
    println!(
        "Events per second: replay {}, COPY of the same rows {}, ratio {}; at most {} MB of memory",
        middle(rounds.iter().map(|round| round.0)),
        middle(rounds.iter().map(|round| round.1)),
        hundredths(middle(rounds.iter().map(|round| round.0 * 100 / round.1))),
        peak() / 1024,
    );
}

/// The most memory that this process ever had, in kilobytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

async fn fill(store: &PgStore) {
    let writers: Vec<_> = (0..64)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for number in (writer..ORDERS).step_by(64) {
                    store.commit(Order::new((1 << 40) + number).commit()).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

/// Events per second of a read from the beginning to the end.
pub(crate) async fn replay(store: &PgStore) -> u64 {
    let (start, mut after, mut events) = (Instant::now(), Position::START, 0);
    loop {
        let page = store.read_all(LogQuery::after(after, 1000)).await.unwrap();
        if page.events.is_empty() {
            return events * 1000 / u64::try_from(start.elapsed().as_millis()).unwrap();
        }
        events += page.events.len() as u64;
        after = page.next;
    }
}

/// Events per second of a `COPY` of so many.
pub(crate) async fn copy(cluster: &Cluster, name: &str, events: u64) -> u64 {
    let options = PgConnectOptions::from_str(&cluster.url(name)).unwrap();
    let pool = PgPoolOptions::new().connect_with(options).await.unwrap();
    let start = Instant::now();
    let rows = "copy (select * from commerce.events order by tx, position) to stdout (format binary)";
    let mut stream = pool.copy_out_raw(rows).await.unwrap();
    while let Some(chunk) = std::future::poll_fn(|context| stream.as_mut().poll_next(context)).await {
        chunk.unwrap();
    }
    events * 1000 / u64::try_from(start.elapsed().as_millis()).unwrap()
}
