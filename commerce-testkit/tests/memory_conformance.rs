//! The memory adapter conforms, on a clock that the checks move.

use std::sync::Arc;

use commerce_adapters_memory::MemoryStore;
use commerce_testkit::conformance::{self, Fixture};
use commerce_testkit::fake;

async fn fresh() -> Fixture {
    let clock = fake::Clock::default();
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    Fixture::new(store.clone()).with_lease(store).with_clock(clock)
}

commerce_testkit::store_conformance!(fresh);
commerce_testkit::lease_conformance!(fresh);

/// Where the checks cannot move the clock they wait; the whole suite must hold there too.
#[test]
fn on_the_machines_clock() {
    let fresh = || async {
        let store = MemoryStore::new();
        Fixture::new(store.clone()).with_lease(store)
    };
    for report in
        [pollster::block_on(conformance::store(fresh)), pollster::block_on(conformance::lease(fresh))]
    {
        report.assert();
    }
}

/// The store claims neither durability nor sharing, so exactly these checks are skipped.
#[test]
fn skips_are_visible() {
    let report = pollster::block_on(conformance::store(fresh));
    assert_eq!(
        report.skipped(),
        ["durable_commit_survives_reopening", "shared_commits_are_seen_by_each_other"]
    );
    assert!(
        report.to_string().contains("skipped durable_commit_survives_reopening: the store is not durable")
    );
}
