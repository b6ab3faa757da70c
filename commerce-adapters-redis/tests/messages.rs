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
    let (source, members) = (Arc::new(MemoryStore::default()), broker.clone());
    let route = Route {
        source: source.clone(),
        lease: source,
        broker: Arc::new(broker),
        member: Arc::new(move || Arc::new(members.subscribe("traffic", ["commerce-events"]))),
        target: Arc::new(MemoryStore::default()),
        run: |work| on_runtime(work),
    };
    let found = route.travel();
    println!("{found:?}");
    found.assert();
}
