//! Folders for a test, removed behind it.
#![allow(clippy::expect_used)] // a failing step is a failing test

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{env, fs, process};

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
