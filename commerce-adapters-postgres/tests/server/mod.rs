//! A fresh database with a store in it, on a runtime of its own.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "every suite uses a part; a test panics"
)]

pub(crate) mod proxy;

use std::str::FromStr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use commerce_adapters_postgres::sqlx::postgres::PgConnectOptions;
use commerce_adapters_postgres::sqlx::{self, ConnectOptions, PgConnection};
use commerce_adapters_postgres::{PgStore, Settings};
use commerce_core::kernel::commit::{Load, StreamQuery};
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::kernel::pool::{PoolKey, PoolLevel};
use commerce_core::kernel::stream::{Position, StreamId, Version};
use commerce_core::port::store::{LogQuery, Store};
use commerce_testkit::conformance::Fixture;
use commerce_tests::server::Database;
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

/// A store in a database of its own.
pub(crate) struct World {
    pub(crate) store: PgStore,
    pub(crate) database: Arc<Database>,
}

impl World {
    /// With the settings of [`patient`].
    pub(crate) async fn new() -> Self {
        Self::with(patient()).await
    }

    /// With these settings.
    pub(crate) async fn with(settings: Settings) -> Self {
        let database = Arc::new(Database::new());
        let store = PgStore::new(options(&database), settings);
        store.migrate().await.unwrap();
        Self { store, database }
    }

    /// Another process's view of the same database.
    pub(crate) fn other(&self) -> PgStore {
        PgStore::new(options(&self.database), patient())
    }
}

/// A transaction of another test in the same server hides the log's end from readers until it ends.
pub(crate) fn patient() -> Settings {
    let mut settings = Settings::default();
    settings.log_patience = Duration::from_secs(30);
    settings
}

/// How to connect to a database.
pub(crate) fn options(database: &Database) -> PgConnectOptions {
    PgConnectOptions::from_str(database.url()).unwrap()
}

/// What the conformance suite needs.
pub(crate) async fn fixture(settings: Settings) -> Fixture {
    let World { store, database } = World::with(settings.clone()).await;
    let reopen = move || {
        let store = PgStore::new(options(&database), settings.clone());
        async move { Arc::new(store) as Arc<dyn Store> }
    };
    Fixture::new(store.clone())
        .with_lease(store)
        .with_reopen(reopen)
        .with_block_on(|task| runtime().handle().block_on(task))
}

/// A connection of the host's own.
pub(crate) async fn connection(database: &Database) -> PgConnection {
    options(database).connect().await.unwrap()
}

/// Runs SQL of a test.
pub(crate) async fn run(connection: &mut PgConnection, sql: &'static str) {
    sqlx::raw_sql(sql).execute(connection).await.unwrap();
}

/// The whole log.
pub(crate) async fn log(store: &PgStore) -> Vec<Arc<RecordedEvent>> {
    let (mut events, mut after) = (Vec::new(), Position::START);
    loop {
        let page = store.read_all(LogQuery::after(after, 1000)).await.unwrap();
        if page.events.is_empty() {
            return events;
        }
        after = page.next;
        events.extend(page.events);
    }
}

/// The level of a pool.
pub(crate) async fn level(store: &PgStore, name: &str) -> PoolLevel {
    let load = Load { pools: vec![PoolKey::new(name)], ..Load::default() };
    store.load(load).await.unwrap().pools[0]
}

/// The version of a stream.
pub(crate) async fn version(store: &PgStore, stream: &StreamId) -> u64 {
    let query = StreamQuery { stream: stream.clone(), after: Version::NONE, snapshot_schema: None };
    let load = Load { streams: vec![query], ..Load::default() };
    store.load(load).await.unwrap().streams[0].version.get()
}

/// The conformance suite's needs, on a clock that the checks move.
pub(crate) async fn timed_fixture(settings: Settings) -> Fixture {
    let database = Arc::new(Database::new());
    let clock = commerce_testkit::fake::Clock::default();
    let store = PgStore::with_clock(options(&database), settings, Arc::new(clock.clone()));
    store.migrate().await.unwrap();
    let kept = database.clone();
    Fixture::new(store.clone())
        .with_lease(store)
        .with_clock(clock)
        .with_reopen(move || {
            let store = PgStore::new(options(&kept), Settings::default());
            async move { Arc::new(store) as Arc<dyn Store> }
        })
        .with_block_on(|task| runtime().handle().block_on(task))
}
