//! Reading: the log beside `COPY` of the same rows, and streams of several lengths; bytes per order.

use std::str::FromStr;
use std::time::Instant;

use commerce_adapters_postgres::sqlx::postgres::{PgConnectOptions, PgPoolCopyExt, PgPoolOptions};
use commerce_adapters_postgres::{PgStore, Settings};
use commerce_core::kernel::commit::{Append, Commit, Load, Snapshot, StreamQuery};
use commerce_core::kernel::event::{EventId, NewEvent};
use commerce_core::kernel::stream::{Position, StreamId, Version};
use commerce_core::port::store::{LogQuery, Store};
use commerce_tests::server::Cluster;
use uuid::Uuid;

use crate::order::Order;
use crate::store;

/// Orders whose events are read.
const ORDERS: u64 = 20_000;

pub(crate) async fn print(cluster: &Cluster) {
    let store = store(cluster, "log", Settings::default()).await;
    let wal = |sql: &str| cluster.psql("log", sql).parse::<u64>().unwrap();
    let lsn = "select (pg_current_wal_lsn() - '0/0')::bigint";
    let size = "select sum(pg_total_relation_size(c.oid))::bigint from pg_class c \
                join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'commerce' and c.relkind = 'r'";
    cluster.psql("log", "checkpoint");
    let before = (wal(lsn), wal(size));
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
    let after = (wal(lsn), wal(size));
    println!(
        "\nBytes per order: {} on disk, {} of WAL",
        (after.1 - before.1) / ORDERS,
        (after.0 - before.0) / ORDERS
    );
    cluster.psql("log", "vacuum analyze");
    let mut rates = Vec::new();
    for _ in 0..3 {
        rates.push((replay(&store).await, copy(cluster).await));
    }
    rates.sort_unstable();
    println!("Events per second: replay {}, COPY of the same rows {}", rates[1].0, rates[1].1);
    lengths(&store).await;
}

async fn replay(store: &PgStore) -> u64 {
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

async fn copy(cluster: &Cluster) -> u64 {
    let options = PgConnectOptions::from_str(&cluster.url("log")).unwrap();
    let pool = PgPoolOptions::new().connect_with(options).await.unwrap();
    let start = Instant::now();
    let rows = "copy (select * from commerce.events order by tx, position) to stdout (format binary)";
    let mut stream = pool.copy_out_raw(rows).await.unwrap();
    while let Some(chunk) = std::future::poll_fn(|context| stream.as_mut().poll_next(context)).await {
        chunk.unwrap();
    }
    2 * ORDERS * 1000 / u64::try_from(start.elapsed().as_millis()).unwrap()
}

/// Loads a stream with this many events, with a snapshot every fifty.
async fn lengths(store: &PgStore) {
    print!("Microseconds for load and commit behind so many events, with snapshots:");
    for length in [10_u64, 100, 1000] {
        let stream = StreamId::new("order", Uuid::from_u128(u128::from(length)));
        for version in 0..length {
            append(store, &stream, version).await;
        }
        let mut spans = Vec::new();
        for version in length..length + 200 {
            let start = Instant::now();
            let query =
                StreamQuery { stream: stream.clone(), after: Version::NONE, snapshot_schema: Some(1) };
            let load = Load { streams: vec![query], ..Load::default() };
            let head = store.load(load).await.unwrap().streams[0].version.get();
            assert_eq!(head, version);
            append(store, &stream, version).await;
            spans.push(start.elapsed().as_micros());
        }
        spans.sort_unstable();
        print!(" {length}: {}", spans[100]);
    }
    println!();
}

async fn append(store: &PgStore, stream: &StreamId, version: u64) {
    let order = Order::new((1 << 41) + version);
    let event = order.commit().append.remove(0).events.remove(0);
    let event = NewEvent { id: EventId::from_uuid(order.id(2)).unwrap(), ..event };
    let last = Version::new(version + 1);
    let due = (version + 1).is_multiple_of(50);
    let snapshot = due.then(|| Snapshot { version: last, schema: 1, data: order.data().into() });
    let append =
        Append { stream: stream.clone(), expected: Version::new(version), events: vec![event], snapshot };
    store.commit(Commit { append: vec![append], ..Commit::default() }).await.unwrap();
}
