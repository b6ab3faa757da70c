//! A store with somebody in front of it who meddles with what goes through.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use commerce_adapters_memory::MemoryStore;
use commerce_core::port::prelude::*;
use commerce_testkit::sim::{Ground, Simulation};

/// Meddles with what a shop and its store say to each other.
#[async_trait]
pub(crate) trait Meddler: Debug + Copy + Send + Sync + 'static {
    /// Changes what was read.
    fn loaded(&self, loaded: &mut Loaded) {
        let _ = loaded;
    }

    /// Changes what is due.
    fn due(&self, due: &mut Due) {
        let _ = due;
    }

    /// Commits something, or something else.
    async fn commit(&self, store: &MemoryStore, commit: Commit) -> Result<Receipt, CommitError>;
}

#[derive(Debug)]
struct Meddled<M> {
    store: MemoryStore,
    meddler: M,
}

/// Shops on stores with this in front of them.
pub(crate) fn meddled(meddler: impl Meddler) -> Simulation {
    Simulation::on(move |clock| {
        let store = MemoryStore::with_clock(Arc::new(clock));
        let lease = Arc::new(store.clone());
        Ground { store: Arc::new(Meddled { store, meddler }), lease, views: None }
    })
}

#[async_trait]
impl<M: Meddler> Store for Meddled<M> {
    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    async fn load(&self, load: Load) -> Result<Loaded, PortError> {
        let mut loaded = self.store.load(load).await?;
        self.meddler.loaded(&mut loaded);
        Ok(loaded)
    }

    async fn commit(&self, commit: Commit) -> Result<Receipt, CommitError> {
        self.meddler.commit(&self.store, commit).await
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
        let mut due = self.store.due(query).await?;
        self.meddler.due(&mut due);
        Ok(due)
    }

    async fn scan(&self, table: Table, after: Option<&str>, limit: u32) -> Result<Vec<Row>, PortError> {
        self.store.scan(table, after, limit).await
    }
}
