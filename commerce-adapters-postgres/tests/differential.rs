//! The same commits on the memory store and on PostgreSQL: equal results, equal content.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod server;

use std::sync::atomic::{AtomicU64, Ordering};

use commerce_adapters_memory::MemoryStore;
use commerce_adapters_postgres::{PgStore, Schema};
use commerce_testkit::strategy::kernel::draft;
use commerce_tests::differential::replay;
use commerce_tests::server::Database;
use proptest::test_runner::{Config, TestRunner};
use server::{on_runtime, options, patient};

#[test]
fn g2_random_commits_have_the_same_results_as_in_memory() {
    static CASE: AtomicU64 = AtomicU64::new(0);
    let database = Database::new();
    let config = Config { cases: 60, failure_persistence: None, max_shrink_iters: 40, ..Config::default() };
    let drafts = proptest::collection::vec(draft(), 1..25);
    let run = TestRunner::new(config).run(&drafts, |drafts| {
        on_runtime(async {
            let schema = Schema::new(&format!("case_{}", CASE.fetch_add(1, Ordering::Relaxed))).unwrap();
            let store = PgStore::new(options(&database), patient().with_schema(schema));
            store.migrate().await.unwrap();
            replay(&drafts, &MemoryStore::new(), &store).await;
        });
        Ok(())
    });
    run.unwrap();
}
