//! A hundred thousand timers that are due, leased and finished by several workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use commerce_adapters_postgres::{PgStore, Settings};
use commerce_core::kernel::commit::Commit;
use commerce_core::kernel::timer::TimerWrite;
use commerce_core::port::store::{DueQuery, Store};
use commerce_tests::server::Cluster;

use crate::store;

const TIMERS: u64 = 100_000;
const ROUNDS: usize = 3;
/// How many a worker leases at a time.
const BATCH: u32 = 50;

pub(crate) async fn print(cluster: &Cluster) {
    let store = store(cluster, "timers", Settings::default()).await;
    println!(
        "\nTimers per second, {TIMERS} due, leased {BATCH} at a time, each finished by a commit of its own\n"
    );
    for workers in [1, 4, 8] {
        let mut rates = Vec::new();
        for _ in 0..ROUNDS {
            rates.push(round(cluster, &store, workers).await);
        }
        println!("{workers:>3} workers: {}", crate::rate::middle(rates.into_iter()));
    }
}

async fn round(cluster: &Cluster, store: &PgStore, workers: usize) -> u64 {
    cluster.psql(
        "timers",
        &format!(
            "insert into commerce.timers (name, kind, due, ready, payload) \
             select 'order:' || gen_random_uuid() || '#payment', 'order', at, at, '{{}}' \
             from generate_series(1, {TIMERS}) n, lateral (select now() - n * interval '1 ms' as at) a"
        ),
    );
    cluster.psql("timers", "vacuum analyze commerce.timers");
    let (start, done) = (Instant::now(), Arc::new(AtomicU64::new(0)));
    let working: Vec<_> = (0..workers)
        .map(|_| {
            let (store, done) = (store.clone(), done.clone());
            tokio::spawn(async move { while work(&store, &done).await {} })
        })
        .collect();
    for worker in working {
        worker.await.unwrap();
    }
    // Every finish names its lease, which is gone with the timer: none is counted twice.
    assert_eq!(done.load(Ordering::SeqCst), TIMERS);
    assert_eq!(cluster.psql("timers", "select count(*) from commerce.timers"), "0");
    TIMERS * 1_000 / u64::try_from(start.elapsed().as_millis()).unwrap()
}

/// Leases some timers and finishes them at once; gives whether there were any.
async fn work(store: &PgStore, done: &Arc<AtomicU64>) -> bool {
    let query = DueQuery { kinds: Vec::new(), limit: BATCH, lease: Duration::from_secs(60) };
    let due = store.due(query).await.unwrap();
    let finishing: Vec<_> = due
        .timers
        .into_iter()
        .map(|timer| {
            let (store, done) = (store.clone(), done.clone());
            tokio::spawn(async move {
                let commit = Commit {
                    lease: Some((timer.key.clone(), timer.token)),
                    timers: vec![TimerWrite::Cancel { key: timer.key }],
                    ..Commit::default()
                };
                store.commit(commit).await.unwrap();
                done.fetch_add(1, Ordering::SeqCst);
            })
        })
        .collect();
    let any = !finishing.is_empty();
    for finish in finishing {
        finish.await.unwrap();
    }
    any
}
