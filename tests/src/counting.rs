//! A store that counts how often it is asked.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use commerce_core::kernel::commit::{Commit, Load, Loaded, Receipt};
use commerce_core::kernel::error::{CommitError, PortError};
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::kernel::stream::{StreamId, Version};
use commerce_core::port::store::{Capabilities, Due, DueQuery, LogQuery, Opening, Page, Row, Store, Table};

/// How often a store was asked for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Loads in front of the first commit.
    pub loads_before: u32,
    /// Loads in all.
    pub loads: u32,
    /// Commits, refused ones included.
    pub commits: u32,
    /// Commits that named the lease of a timer.
    pub leased: u32,
    /// Everything else.
    pub others: u32,
}

/// Counts the calls of another store; clones count together.
#[derive(Debug, Clone)]
pub struct Counting {
    store: Arc<dyn Store>,
    counts: Arc<Mutex<Counts>>,
}

impl Counting {
    /// Counts the calls of this store.
    pub fn on(store: impl Store) -> Self {
        Self { store: Arc::new(store), counts: Arc::default() }
    }

    /// The counts since the last time, which begin anew.
    pub fn take(&self) -> Counts {
        std::mem::take(&mut *self.counts.lock().unwrap())
    }

    fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.counts.lock().unwrap());
    }
}

#[async_trait]
impl Store for Counting {
    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    async fn load(&self, load: Load) -> Result<Loaded, PortError> {
        self.count(|counts| {
            counts.loads += 1;
            counts.loads_before += u32::from(counts.commits == 0);
        });
        self.store.load(load).await
    }

    async fn commit(&self, commit: Commit) -> Result<Receipt, CommitError> {
        self.count(|counts| {
            counts.commits += 1;
            counts.leased += u32::from(commit.lease.is_some());
        });
        self.store.commit(commit).await
    }

    async fn read_all(&self, query: LogQuery) -> Result<Page, PortError> {
        self.count(|counts| counts.others += 1);
        self.store.read_all(query).await
    }

    async fn read_stream(
        &self,
        stream: &StreamId,
        after: Version,
        limit: u32,
    ) -> Result<Vec<Arc<RecordedEvent>>, PortError> {
        self.count(|counts| counts.others += 1);
        self.store.read_stream(stream, after, limit).await
    }

    async fn due(&self, query: DueQuery) -> Result<Due, PortError> {
        self.count(|counts| counts.others += 1);
        self.store.due(query).await
    }

    async fn scan(&self, table: Table, after: Option<&str>, limit: u32) -> Result<Vec<Row>, PortError> {
        self.count(|counts| counts.others += 1);
        self.store.scan(table, after, limit).await
    }

    async fn opening(&self, table: Table, after: Option<&str>, limit: u32) -> Result<Opening, PortError> {
        self.count(|counts| counts.others += 1);
        self.store.opening(table, after, limit).await
    }
}
