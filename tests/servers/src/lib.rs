//! Opens the store of a shop on a server: for a process that is killed, and for whoever looks afterwards.

pub mod worker;

use std::error::Error;
use std::str::FromStr;
use std::sync::Arc;

use commerce_adapters_postgres::sqlx::postgres::PgConnectOptions;
use commerce_adapters_postgres::{PgStore, Schema};
use commerce_adapters_redis::RedisStore;
use commerce_core::port::store::Store;
use commerce_testkit::fake::Clock;
use commerce_testkit::kill::process::Errand;
use tokio::runtime::Runtime;

/// What goes wrong while a store is opened.
pub type Failure = Box<dyn Error + Send + Sync>;

/// The store in a schema of a PostgreSQL database, made where it is not there.
///
/// # Errors
///
/// Where the server does not answer.
pub async fn on_postgres(url: &str, schema: &str, clock: Clock) -> Result<Arc<dyn Store>, Failure> {
    let settings = commerce_adapters_postgres::Settings::default().with_schema(Schema::new(schema)?);
    let store = PgStore::with_clock(PgConnectOptions::from_str(url)?, settings, Arc::new(clock));
    store.migrate().await?;
    Ok(Arc::new(store))
}

/// The store of a shop on a Redis server.
///
/// # Errors
///
/// Where the server does not answer.
pub async fn on_redis(url: &str, shop: &str, clock: Clock) -> Result<Arc<dyn Store>, Failure> {
    let settings = commerce_adapters_redis::Settings::for_shop(shop)?;
    Ok(Arc::new(RedisStore::with_clock(url, settings, Arc::new(clock)).await?))
}

/// Does the errand that stands behind an address and a name in the arguments of this process.
///
/// # Errors
///
/// Where the arguments make no sense, or the store cannot be opened.
pub fn errand<F>(open: impl FnOnce(String, String, Clock) -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<Arc<dyn Store>, Failure>>,
{
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, name, errand @ ..] = arguments.as_slice() else {
        return Err("name a server and a shop".into());
    };
    let errand = Errand::parse(errand).ok_or("name an errand")?;
    // The library has no runtime; the store lives on this one while its process does its errand.
    let runtime = Runtime::new()?;
    let _entered = runtime.enter();
    Ok(errand.run(|clock| match runtime.block_on(open(url.clone(), name.clone(), clock)) {
        Ok(store) => store,
        Err(error) => {
            eprintln!("the store cannot be opened: {error}");
            std::process::exit(2)
        }
    })?)
}
