//! A thousand that miss the same key at the same moment.

use std::sync::Arc;
use std::time::{Duration, Instant};

use commerce_adapters_redis::RedisCache;
use commerce_benches::middle;
use commerce_core::app::caching::{CachePolicy, Cached, Loaded};
use commerce_core::kernel::error::PortError;
use commerce_core::port::cache::{CacheKey, ttl};

use crate::rate::ROUNDS;
use crate::server::{Server, side};

const READERS: usize = 1000;
/// How long the load takes.
const LOAD: Duration = Duration::from_millis(5);

type Pages = Cached<String, PortError>;

pub(crate) async fn print(server: &Server) {
    println!("\n{READERS} misses of one key at once, a load takes {} ms\n", LOAD.as_millis());
    for processes in [1, 4] {
        let mut rounds = Vec::new();
        for round in 0..ROUNDS {
            let name = format!("{processes}-{round}");
            let key = CacheKey::new("catalog", "product", &name, "miss").unwrap();
            rounds.push(miss(server, processes, &key).await);
        }
        let loads: Vec<u64> = rounds.iter().map(|round| round.0).collect();
        let millis = middle(rounds.iter().map(|round| round.1));
        let failures: u64 = rounds.iter().map(|round| round.2).sum();
        println!(
            "{processes} caches on one server: loads of every round {loads:?}, all answered within {millis} ms, \
             {failures} failures"
        );
    }
}

/// Loads, milliseconds until the last answer, failures.
async fn miss(server: &Server, processes: usize, key: &CacheKey) -> (u64, u128, u64) {
    // Each with a connection of its own, as processes have.
    let all: Vec<Arc<Pages>> = (0..processes)
        .map(|_| {
            let cache = RedisCache::open(&server.url(), side()).unwrap();
            Arc::new(Pages::new(Arc::new(cache), CachePolicy::keeping(ttl::LIST), 1))
        })
        .collect();
    let start = Instant::now();
    let readers: Vec<_> = (0..READERS)
        .map(|reader| {
            let (pages, key) = (all[reader % processes].clone(), key.clone());
            tokio::spawn(async move { pages.get(&key, load).await })
        })
        .collect();
    for reader in readers {
        assert_eq!(reader.await.unwrap().unwrap().unwrap().len(), 1000);
    }
    let millis = start.elapsed().as_millis();
    let counts = || all.iter().map(|pages| pages.counts());
    (counts().map(|count| count.loads).sum(), millis, counts().map(|count| count.failures).sum())
}

async fn load() -> Result<Loaded<String>, PortError> {
    tokio::time::sleep(LOAD).await;
    Ok(Loaded::new(Some("x".repeat(1000))))
}
