//! A store that refuses some commits, as a real one does where others are faster.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use commerce_adapters_memory::MemoryStore;
use commerce_core::port::prelude::*;

/// A store that refuses the next so many commits that append to streams of a kind.
#[derive(Clone)]
pub struct Refusing {
    store: MemoryStore,
    kind: &'static str,
    refusal: Arc<dyn Fn() -> CommitError + Send + Sync>,
    left: Arc<AtomicU32>,
    refused: Arc<AtomicU32>,
}

impl Refusing {
    /// Refuses nothing yet.
    pub fn on(
        store: MemoryStore,
        kind: &'static str,
        refusal: impl Fn() -> CommitError + Send + Sync + 'static,
    ) -> Self {
        Self { store, kind, refusal: Arc::new(refusal), left: Arc::default(), refused: Arc::default() }
    }

    /// Refuses the next so many.
    pub fn next(&self, count: u32) {
        self.left.store(count, Ordering::Relaxed);
        self.refused.store(0, Ordering::Relaxed);
    }

    /// How many it has refused since.
    pub fn refused(&self) -> u32 {
        self.refused.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Refusing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusing").field("kind", &self.kind).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for Refusing {
    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    async fn load(&self, load: Load) -> Result<Loaded, PortError> {
        self.store.load(load).await
    }

    async fn commit(&self, commit: Commit) -> Result<Receipt, CommitError> {
        let meant = commit.append.iter().any(|append| append.stream.kind == self.kind);
        let left = self.left.load(Ordering::Relaxed);
        if meant && left > 0 {
            self.left.store(left - 1, Ordering::Relaxed);
            self.refused.fetch_add(1, Ordering::Relaxed);
            return Err((self.refusal)());
        }
        self.store.commit(commit).await
    }

    async fn read_all(&self, query: LogQuery) -> Result<Page, PortError> {
        self.store.read_all(query).await
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

    async fn opening(&self, table: Table, after: Option<&str>, limit: u32) -> Result<Opening, PortError> {
        self.store.opening(table, after, limit).await
    }
}
