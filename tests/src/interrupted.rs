//! A store before one of whose loads somebody else does something.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use commerce_adapters_memory::MemoryStore;
use commerce_core::port::prelude::*;

/// What somebody else does.
pub type Deed = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A store before one of whose loads somebody else does something.
#[derive(Clone)]
pub struct Interrupted {
    store: MemoryStore,
    loads: Arc<AtomicU32>,
    at: u32,
    deed: Arc<Mutex<Option<Deed>>>,
}

impl Interrupted {
    /// Before the load with this number, from 1.
    pub fn at(store: MemoryStore, at: u32, deed: Deed) -> Self {
        Self { store, loads: Arc::default(), at, deed: Arc::new(Mutex::new(Some(deed))) }
    }

    /// Whether there was such a load.
    pub fn happened(&self) -> bool {
        self.deed.lock().unwrap().is_none()
    }
}

impl fmt::Debug for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupted").field("at", &self.at).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for Interrupted {
    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    async fn load(&self, load: Load) -> Result<Loaded, PortError> {
        if self.loads.fetch_add(1, Ordering::Relaxed) + 1 == self.at {
            let deed = self.deed.lock().unwrap().take();
            if let Some(deed) = deed {
                deed.await;
            }
        }
        self.store.load(load).await
    }

    async fn commit(&self, commit: Commit) -> Result<Receipt, CommitError> {
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
