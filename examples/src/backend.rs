//! Where an example keeps its data: in memory, or on the server that `--store` names.

use std::error::Error;
use std::sync::Arc;

use commerce_adapters_memory::MemoryStore;
use commerce_core::port::clock::Clock;
use commerce_core::port::store::Store;

/// What stands behind this name on the command line, where it is there.
pub fn argument(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}

/// The address behind `--store`, where the command line has one.
pub fn address() -> Option<String> {
    argument("--store")
}

/// A fresh store that judges timers by this clock.
///
/// # Errors
///
/// Where the server cannot be reached, or the example was built without the feature that it needs.
pub fn store(clock: Arc<dyn Clock>) -> Result<Arc<dyn Store>, Box<dyn Error + Send + Sync>> {
    match address() {
        None => Ok(Arc::new(MemoryStore::with_clock(clock))),
        Some(address) => server(&address, clock),
    }
}

#[cfg(not(feature = "postgres"))]
fn server(_: &str, _: Arc<dyn Clock>) -> Result<Arc<dyn Store>, Box<dyn Error + Send + Sync>> {
    Err("this example was built without the feature `postgres`".into())
}

/// Runs a future to its end.
#[cfg(not(feature = "postgres"))]
pub fn block_on<F: Future>(work: F) -> F::Output {
    pollster::block_on(work)
}

#[cfg(feature = "postgres")]
use postgres::server;
#[cfg(feature = "postgres")]
pub use postgres::{block_on, fresh};

#[cfg(feature = "postgres")]
mod postgres {
    use std::error::Error;
    use std::str::FromStr;
    use std::sync::{Arc, OnceLock};

    use commerce_adapters_postgres::sqlx::postgres::PgConnectOptions;
    use commerce_adapters_postgres::sqlx::{ConnectOptions, raw_sql};
    use commerce_adapters_postgres::{PgStore, Schema, Settings};
    use commerce_core::port::clock::Clock;
    use commerce_core::port::store::Store;
    use tokio::runtime::Runtime;

    /// Examples start from nothing, so they have a schema of their own, which they empty.
    const EMPTY: &str = "drop schema if exists commerce_example cascade";

    fn runtime() -> &'static Runtime {
        static RUNTIME: OnceLock<Runtime> = OnceLock::new();
        #[allow(clippy::expect_used)] // an example cannot do without
        RUNTIME.get_or_init(|| Runtime::new().expect("a runtime can be started"))
    }

    /// Runs a future to its end, on the runtime that connections live on.
    pub fn block_on<F: Future>(work: F) -> F::Output {
        runtime().block_on(work)
    }

    /// Options for an address, and the settings of a schema that was emptied.
    ///
    /// # Errors
    ///
    /// Where the server cannot be reached.
    pub async fn fresh(address: &str) -> Result<(PgConnectOptions, Settings), Box<dyn Error + Send + Sync>> {
        let options = PgConnectOptions::from_str(address)?;
        raw_sql(EMPTY).execute(&mut options.connect().await?).await?;
        let mut settings = Settings::default().with_schema(Schema::new("commerce_example")?);
        // Another transaction of the server may hide the end of the log for longer than a second.
        settings.log_patience = std::time::Duration::from_secs(30);
        Ok((options, settings))
    }

    pub(super) fn server(
        address: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<dyn Store>, Box<dyn Error + Send + Sync>> {
        block_on(async {
            let (options, settings) = fresh(address).await?;
            let store = PgStore::with_clock(options, settings, clock);
            store.migrate().await?;
            Ok(Arc::new(store) as Arc<dyn Store>)
        })
    }
}
