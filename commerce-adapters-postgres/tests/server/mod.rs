//! A fresh database with a store in it, on a runtime of its own.
#![allow(dead_code, reason = "every suite uses a part of it")]

use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use commerce_adapters_postgres::sqlx::postgres::PgConnectOptions;
use commerce_adapters_postgres::{PgStore, Settings};
use commerce_core::port::store::Store;
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
    /// With the default settings.
    pub(crate) async fn new() -> Self {
        Self::with(Settings::default()).await
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
        PgStore::new(options(&self.database), Settings::default())
    }
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
