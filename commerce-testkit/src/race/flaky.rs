//! A store that fails now and then.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use commerce_core::kernel::commit::{Commit, Load, Loaded, Receipt};
use commerce_core::kernel::error::{CommitError, Effect, PortError, PortErrorKind};
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::kernel::stream::{Position, StreamId, Version};
use commerce_core::port::store::{Capabilities, Due, DueQuery, Page, Row, Store, Table};

use crate::fake::mix;

/// Of a hundred commits one fails before it is made, as a serialisation error or a deadlock would, and one
/// behind it: made, and nobody is told.
#[derive(Debug)]
pub(super) struct Flaky {
    store: Arc<dyn Store>,
    commits: AtomicU64,
    failures: AtomicU64,
}

impl Flaky {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, commits: AtomicU64::new(0), failures: AtomicU64::new(0) }
    }

    /// How many commits have failed.
    pub(super) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Store for Flaky {
    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    async fn load(&self, load: Load) -> Result<Loaded, PortError> {
        self.store.load(load).await
    }

    async fn commit(&self, commit: Commit) -> Result<Receipt, CommitError> {
        let drawn = mix(self.commits.fetch_add(1, Ordering::Relaxed)) % 100;
        let fails = |kind, effect| {
            self.failures.fetch_add(1, Ordering::Relaxed);
            Err(PortError::new(kind, effect, "flaky store", "commit").into())
        };
        match drawn {
            0 => fails(PortErrorKind::Unavailable, Effect::None),
            1 => {
                let _ = self.store.commit(commit).await;
                fails(PortErrorKind::Timeout, Effect::Unknown)
            }
            _ => self.store.commit(commit).await,
        }
    }

    async fn read_all(&self, after: Position, limit: u32) -> Result<Page, PortError> {
        self.store.read_all(after, limit).await
    }

    async fn read_stream(
        &self,
        stream: &StreamId,
        after: Version,
        limit: u32,
    ) -> Result<Vec<Arc<RecordedEvent>>, PortError> {
        self.store.read_stream(stream, after, limit).await
    }

    async fn due(&self, query: DueQuery) -> Result<Due, PortError> {
        self.store.due(query).await
    }

    async fn scan(&self, table: Table, after: Option<&str>, limit: u32) -> Result<Vec<Row>, PortError> {
        self.store.scan(table, after, limit).await
    }
}
