//! G11 on streams: what happens to messages on their way, at full size.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod server;

use std::sync::Arc;
use std::time::Duration;

use commerce_adapters_memory::MemoryStore;
use commerce_tests::traffic::Route;
use server::{broker, on_runtime};

#[test]
fn g11_nothing_is_lost_doubled_or_out_of_order() {
    let broker = on_runtime(broker()).owned_for(Duration::from_secs(2));
    let members = broker.clone();
    let stores = (Arc::new(MemoryStore::default()), Arc::new(MemoryStore::default()));
    let member = move || members.subscribe("traffic", ["commerce-events"]);
    Route::between((stores.0, stores.1), broker, member, on_runtime).arrives();
}
