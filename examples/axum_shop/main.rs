//! A shop behind HTTP: checkout, the gateway's callback, and a status for every error.
//!
//! `cargo run --example axum_shop --features axum -- --store postgres://…` starts it on a free port, asks it
//! what a browser and a gateway ask, and prints the answers. With `--serve 127.0.0.1:3000` it stays.
#![allow(clippy::print_stdout)] // an example is there to be read

mod client;
mod routes;
mod status;

use std::error::Error;
use std::sync::Arc;

use commerce_adapters_memory::platform;
use commerce_core::prelude::*;
use commerce_examples::backend::{argument, block_on, store};
use commerce_testkit::fake::Gateway;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome<()> {
    // A host hands in its own gateway; this one asks nobody and can be told what to answer.
    let gateway = Gateway::capturing();
    let commerce = Commerce::from_arc(store(platform().clock)?, platform())
        .with_shared_gateway(Arc::new(gateway.clone()));
    block_on(async {
        list(&commerce).await?;
        match argument("--serve") {
            Some(address) => serve(commerce, &address).await,
            None => demonstrate(commerce, gateway).await,
        }
    })
}

/// Ten tickets are for sale.
async fn list(commerce: &Commerce) -> Outcome<()> {
    let price = Price::parse("12.50", Currency::EUR)?;
    let ticket = Listing::new(Sku::new("TICKET")?, Name::new("Concert ticket")?, price);
    let staff = commerce.acting_as(Actor::Admin(commerce.new_id()));
    staff.list(ticket.digital().with_stock(Quantity::new(10)?)).await?;
    Ok(())
}

/// Runs until the process is told to stop; what is under way is finished first.
async fn serve(commerce: Commerce, address: &str) -> Outcome<()> {
    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    let (stop, stopped) = oneshot::channel::<()>();
    // Deadlines, retries and lost answers: the shop needs somebody who looks at what is due.
    let timers = tokio::spawn({
        let commerce = commerce.clone();
        async move { commerce.run_timers(async { drop(stopped.await) }).await }
    });
    let interrupted = async { drop(tokio::signal::ctrl_c().await) };
    axum::serve(listener, routes::router(commerce)).with_graceful_shutdown(interrupted).await?;
    drop(stop);
    timers.await?;
    Ok(())
}

async fn demonstrate(commerce: Commerce, gateway: Gateway) -> Outcome<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(axum::serve(listener, routes::router(commerce)).into_future());
    tokio::task::spawn_blocking(move || client::visit(address, &gateway)).await??;
    server.abort();
    Ok(())
}
