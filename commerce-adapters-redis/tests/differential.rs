//! The same commits on the memory store and on Redis: equal results, equal content.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod server;

use commerce_adapters_memory::MemoryStore;
use commerce_testkit::strategy::kernel::draft;
use commerce_tests::differential::replay;
use proptest::test_runner::{Config, TestRunner};
use server::{on_runtime, store};

#[test]
fn g2_random_commits_have_the_same_results_as_in_memory() {
    let config = Config { cases: 100, failure_persistence: None, max_shrink_iters: 40, ..Config::default() };
    let drafts = proptest::collection::vec(draft(), 1..25);
    let run = TestRunner::new(config).run(&drafts, |drafts| {
        on_runtime(async { replay(&drafts, &MemoryStore::new(), &store().await).await });
        Ok(())
    });
    run.unwrap();
}
