//! G11 on memory: what happens to messages on their way, at full size.
#![allow(clippy::unwrap_used)] // a failing step is a failing test

use std::sync::Arc;
use std::time::Duration;

use commerce_adapters_memory::{MemoryBroker, MemoryStore, SystemClock};
use commerce_tests::traffic::Route;
use pollster::block_on;

#[test]
fn g11_nothing_is_lost_doubled_or_out_of_order() {
    let broker = MemoryBroker::new(Arc::new(SystemClock)).owned_for(Duration::from_secs(2));
    let members = broker.clone();
    let stores = (Arc::new(MemoryStore::default()), Arc::new(MemoryStore::default()));
    let member = move || members.subscribe("traffic", ["commerce-events"]);
    Route::between((stores.0, stores.1), broker, member, block_on).arrives();
}
