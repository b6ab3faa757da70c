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
    let store = Arc::new(source.store.clone());
    let route = Route {
        source: store.clone(),
        lease: store,
        broker: Arc::new(broker),
        member: Arc::new(move || Arc::new(members.subscribe("traffic", ["commerce-events"]))),
        target: Arc::new(target.store.clone()),
        run: |work| on_runtime(work),
    };
    let found = route.travel();
    println!("{found:?}");
    found.assert();
}
