//! The host's own rows and the library's, in one transaction of the host.
//!
//! `cargo run --example host_transaction --features postgres -- --store postgres://…`
#![allow(clippy::print_stdout)] // an example is there to be read

use std::error::Error;

use commerce_adapters_postgres::PgStore;
use commerce_adapters_postgres::sqlx::{self, ConnectOptions, Connection, PgConnection, Row};
use commerce_core::kernel::commit::{Commit, Load};
use commerce_core::kernel::pool::{PoolKey, PoolMove, PoolOp};
use commerce_core::port::store::Store;
use commerce_examples::backend::{address, block_on, fresh};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome<()> {
    let address = address().ok_or("name a server: --store postgres://…")?;
    block_on(run(&address))
}

/// Ten units arrive.
fn arrival() -> Commit {
    let supply = PoolMove::new(PoolKey::new("stock:MUG@main"), PoolOp::Supply(10));
    Commit { moves: vec![supply], ..Commit::default() }
}

async fn run(address: &str) -> Outcome<()> {
    let (options, settings) = fresh(address).await?;
    let store = PgStore::new(options.clone(), settings);
    store.migrate().await?;
    let mut host = options.connect().await?;
    // A table of the host; it lives as long as the connection.
    sqlx::query("create temporary table delivery_note (text text)").execute(&mut host).await?;

    for keep in [false, true] {
        let mut transaction = host.begin().await?;
        sqlx::query("insert into delivery_note values ('10 mugs')").execute(&mut *transaction).await?;
        store.commit_in(&mut transaction, arrival()).await?;
        if keep {
            transaction.commit().await?;
        } else {
            transaction.rollback().await?;
        }
        let what = if keep { "a commit" } else { "a rollback" };
        println!("after {what}: {} notes, {} mugs", notes(&mut host).await?, mugs(&store).await?);
    }
    Ok(())
}

async fn notes(host: &mut PgConnection) -> Outcome<i64> {
    Ok(sqlx::query("select count(*) from delivery_note").fetch_one(host).await?.try_get(0)?)
}

async fn mugs(store: &PgStore) -> Outcome<i64> {
    let load = Load { pools: vec![PoolKey::new("stock:MUG@main")], ..Load::default() };
    Ok(store.load(load).await?.pools.first().map_or(0, |level| level.available))
}
