//! G11 on PostgreSQL: what happens to messages on their way from one database to another, at full size.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod server;

use std::sync::Arc;
use std::time::Duration;

use commerce_adapters_memory::{MemoryBroker, SystemClock};
use commerce_tests::traffic::Route;
use server::{World, on_runtime};

#[test]
fn g11_nothing_is_lost_doubled_or_out_of_order() {
    let (source, target) = on_runtime(async { (World::new().await, World::new().await) });
    let broker = MemoryBroker::new(Arc::new(SystemClock)).owned_for(Duration::from_secs(2));
    let members = broker.clone();
    let stores = (Arc::new(source.store.clone()), Arc::new(target.store.clone()));
    let member = move || members.subscribe("traffic", ["commerce-events"]);
    Route::between((stores.0, stores.1), broker, member, on_runtime).arrives();
}
