//! Folders for a test, removed behind it.
#![allow(clippy::expect_used)] // a failing step is a failing test
#![allow(dead_code)] // every test uses a part of it

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{env, fs, process};

use commerce_core::port::store::Store;
use commerce_testkit::conformance::Fixture;
use commerce_testkit::fake::Clock;
use custom_store_conformance::FileStore;

/// A store in a folder of its own that goes with it.
#[allow(clippy::unused_async)] // the suites take factories that may wait
pub(crate) async fn fresh() -> Fixture {
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

/// A folder of its own; clones share it, and the last one removes it.
#[derive(Debug, Clone)]
pub(crate) struct Folder(Arc<Removed>);

#[derive(Debug)]
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Folder {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        let path = env::temp_dir().join(format!("file-store-{}-{}", process::id(), next()));
        fs::create_dir_all(&path).expect("the temporary folder can be written");
        Self(Arc::new(Removed(path)))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0.0
    }

    /// Another folder, within this one, with the journal as it is now.
    pub(crate) fn copied(&self) -> PathBuf {
        let copy = self.path().join(format!("copy-{}", next()));
        fs::create_dir_all(&copy).expect("the folder can be written");
        fs::copy(self.path().join("journal"), copy.join("journal")).expect("there is a journal");
        copy
    }
}

fn next() -> u64 {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    COUNT.fetch_add(1, Ordering::Relaxed)
}
