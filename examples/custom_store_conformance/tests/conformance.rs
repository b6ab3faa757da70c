//! The store keeps the contract: one test per clause, by one macro call.
#![allow(clippy::expect_used)] // a failing step is a failing test

mod folder;

use std::sync::Arc;

use commerce_core::port::store::Store;
use commerce_testkit::conformance::Fixture;
use commerce_testkit::fake::Clock;
use custom_store_conformance::FileStore;
use folder::Folder;

async fn fresh() -> Fixture {
    let (folder, clock) = (Folder::new(), Clock::default());
    let store = FileStore::open(folder.path(), Arc::new(clock.clone())).expect("an empty folder");
    let shown = clock.clone();
    // What lies on the disk at this moment, opened by another: as after the end of this process.
    let reopen = move || {
        let copy = FileStore::open(&folder.copied(), Arc::new(clock.clone())).expect("a whole journal");
        async { Arc::new(copy) as Arc<dyn Store> }
    };
    Fixture::new(store).with_clock(shown).with_reopen(reopen)
}

commerce_testkit::store_conformance!(fresh);
