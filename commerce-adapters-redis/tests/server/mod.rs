//! A fresh shop on a real server, on a runtime of its own.
#![allow(dead_code, clippy::unwrap_used, reason = "every suite uses a part; a test panics")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use commerce_adapters_redis::{RedisBroker, RedisStore, Settings, SideSettings};
use commerce_core::port::store::Store;
use commerce_testkit::conformance::Fixture;
use commerce_testkit::fake::Clock;
use commerce_tests::server::Redis;
use tokio::runtime::Runtime;

/// The runtime of this test's process.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap())
}

/// Runs a test on the runtime.
pub(crate) fn on_runtime<F: Future>(work: F) -> F::Output {
    runtime().block_on(work)
}

/// The settings of a shop that nobody has used.
pub(crate) fn fresh() -> Settings {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let time = std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_nanos());
    let name = format!("shop-{}-{time:x}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    Settings::for_shop(&name).unwrap()
}

/// Settings of a cache that nobody has used, on a machine that may be busy.
pub(crate) fn patient() -> SideSettings {
    SideSettings::for_shop(&fresh().shop).unwrap().waiting(Duration::from_secs(5))
}

/// A store of a fresh shop.
pub(crate) async fn store() -> RedisStore {
    RedisStore::open(&Redis::shared(), fresh()).await.unwrap()
}

/// A broker of a fresh shop.
pub(crate) async fn broker() -> RedisBroker {
    RedisBroker::open(&Redis::shared(), fresh()).await.unwrap()
}

fn around(store: RedisStore, settings: Settings, clock: Option<Clock>) -> Fixture {
    let by = clock.clone();
    let reopen = move || {
        let (settings, clock) = (settings.clone(), by.clone());
        async move {
            let store = match clock {
                Some(clock) => RedisStore::with_clock(&Redis::shared(), settings, Arc::new(clock)).await,
                None => RedisStore::open(&Redis::shared(), settings).await,
            };
            Arc::new(store.unwrap()) as Arc<dyn Store>
        }
    };
    let fixture = Fixture::new(store.clone())
        .with_lease(store)
        .with_reopen(reopen)
        .with_block_on(|task| runtime().handle().block_on(task));
    match clock {
        Some(clock) => fixture.with_clock(clock),
        None => fixture,
    }
}

/// What the conformance suite needs, by the server's clock.
pub(crate) async fn fixture() -> Fixture {
    let settings = fresh();
    let store = RedisStore::open(&Redis::shared(), settings.clone()).await.unwrap();
    around(store, settings, None)
}

/// What the conformance suite needs, by a clock that the checks move.
pub(crate) async fn timed_fixture() -> Fixture {
    let (settings, clock) = (fresh(), Clock::default());
    let by = Arc::new(clock.clone());
    let store = RedisStore::with_clock(&Redis::shared(), settings.clone(), by).await.unwrap();
    around(store, settings, Some(clock))
}
