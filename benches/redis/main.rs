//! The Redis adapter beside the raw client, on one server, in one run.
//!
//! `cargo bench -p commerce-benches --features redis --bench redis -- [SECTION…]`, sections `cache`, `store`,
//! `streams`, `misses`; all where none is named. Every section starts a server of its own that appends to a
//! file, as the store demands. Every figure is the middle one of several rounds, in which the ways take turns;
//! overheads compare runs of one round. Raw calls go through the connection that the adapter uses as well.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a bench measures, prints and fails by panicking"
)]

mod by_hand;
mod cache;
mod consume;
mod entry;
mod misses;
mod publish;
mod rate;
mod server;
mod store;

use server::Server;

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wants = |section: &str| asked.is_empty() || asked.iter().any(|word| word == section);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        if wants("cache") {
            cache::print(&Server::start().await).await;
        }
        if wants("store") {
            store::print(&Server::start().await).await;
        }
        if wants("streams") {
            publish::print(&Server::start().await).await;
            consume::print(&Server::start().await).await;
        }
        if wants("misses") {
            misses::print(&Server::start().await).await;
        }
    });
}
