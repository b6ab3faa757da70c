//! A store under test, with what the checks need besides it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use commerce_core::kernel::commit::{Commit, Load, Loaded, StreamQuery};
use commerce_core::kernel::error::PortError;
use commerce_core::kernel::event::{EventId, RecordedEvent};
use commerce_core::kernel::pool::PoolLevel;
use commerce_core::kernel::stream::{Position, StreamId, Version};
use commerce_core::port::lease::Lease;
use commerce_core::port::store::{Capabilities, Due, DueQuery, LogQuery, MAX_PAGE, Row, Store, Table};
use commerce_core::value::time::Timestamp;

use super::exec::{self, BlockOn, Task, block_on};
use super::outcome::Failure;
use crate::{build, fake};

/// How often, and after which pauses, a log that lags is looked at.
const LOOKS: u32 = 100;
const LAG: Duration = Duration::from_millis(10);

/// Opens the same data once more.
type Reopen = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Arc<dyn Store>> + Send>> + Send + Sync>;

/// A fresh store and what the checks need besides it.
#[derive(Clone)]
pub struct Fixture {
    store: Arc<dyn Store>,
    lease: Option<Arc<dyn Lease>>,
    clock: Option<fake::Clock>,
    reopen: Option<Reopen>,
    block_on: BlockOn,
}

impl Fixture {
    /// A fresh, empty store.
    pub fn new(store: impl Store) -> Self {
        Self::from(Arc::new(store) as Arc<dyn Store>)
    }

    /// The leases whose fences the store checks; without them the checks of leases are skipped.
    #[must_use]
    pub fn with_lease(mut self, lease: impl Lease) -> Self {
        self.lease = Some(Arc::new(lease));
        self
    }

    /// The clock that the store reads; without it the checks really wait for some milliseconds.
    #[must_use]
    pub fn with_clock(mut self, clock: fake::Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Opens the same data once more, as after a restart or in another process.
    #[must_use]
    pub fn with_reopen<F, T>(mut self, reopen: F) -> Self
    where
        F: Fn() -> T + Send + Sync + 'static,
        T: Future<Output = Arc<dyn Store>> + Send + 'static,
    {
        self.reopen = Some(Arc::new(move || Box::pin(reopen())));
        self
    }

    /// How the threads of a race run a future, for stores that live on a runtime.
    ///
    /// For tokio: `move |task| handle.block_on(task)`.
    #[must_use]
    pub fn with_block_on(mut self, block_on: impl Fn(Task) + Send + Sync + 'static) -> Self {
        self.block_on = Arc::new(block_on);
        self
    }

    /// The store.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// The leases, where there are any.
    pub fn lease(&self) -> Option<&Arc<dyn Lease>> {
        self.lease.as_ref()
    }

    pub(crate) const fn clock(&self) -> Option<&fake::Clock> {
        self.clock.as_ref()
    }

    pub(crate) fn shared(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    pub(crate) fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    pub(crate) const fn can_reopen(&self) -> bool {
        self.reopen.is_some()
    }

    pub(crate) async fn reopened(&self) -> Result<Arc<dyn Store>, Failure> {
        match &self.reopen {
            Some(reopen) => Ok(reopen().await),
            None => Err(Failure::new("the fixture cannot reopen the store")),
        }
    }

    /// Runs every future on a thread of its own; gives their results in order.
    pub(crate) async fn race<T, F>(&self, futures: Vec<F>) -> Vec<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        exec::race(&self.block_on, futures).await
    }

    /// Lets time pass on the store's clock.
    pub(crate) fn pass(&self, span: Duration) {
        match &self.clock {
            Some(clock) => {
                clock.advance(span);
            }
            None => std::thread::sleep(span),
        }
    }

    /// The store's time.
    pub(crate) async fn now(&self) -> Result<Timestamp, PortError> {
        let kinds = vec!["nothing-of-this-kind".into()];
        Ok(self.store.due(DueQuery { kinds, limit: 1, lease: Duration::ZERO }).await?.now)
    }

    /// Leases due timers of all kinds.
    pub(crate) async fn due(&self, limit: u32, lease: Duration) -> Result<Due, PortError> {
        self.store.due(DueQuery { kinds: Vec::new(), limit, lease }).await
    }

    /// Commits and expects success.
    pub(crate) async fn commit(&self, commit: Commit) -> Result<Position, Failure> {
        let last = commit.append.last().and_then(|append| append.events.last()).map(|event| event.id);
        let position = self.store.commit(commit).await?.position;
        if let Some(last) = last.filter(|_| self.store.capabilities().shared) {
            self.logged(last).await?;
        }
        Ok(position)
    }

    /// Waits until the log shows an event: that of a store which others share may lag behind transactions
    /// that are none of ours. What never shows is left to the check.
    async fn logged(&self, last: EventId) -> Result<(), Failure> {
        for _ in 0..LOOKS {
            if self.log().await?.iter().any(|recorded| recorded.event.id == last) {
                break;
            }
            std::thread::sleep(LAG);
        }
        Ok(())
    }

    /// The whole log, read page by page.
    pub(crate) async fn log(&self) -> Result<Vec<Arc<RecordedEvent>>, Failure> {
        let (mut events, mut after) = (Vec::new(), Position::START);
        loop {
            let page = self.store.read_all(LogQuery::after(after, MAX_PAGE)).await?;
            if page.events.is_empty() {
                return Ok(events);
            }
            if page.next <= after {
                return Err(Failure::new("`next` does not lie behind the page it belongs to"));
            }
            after = page.next;
            events.extend(page.events);
        }
    }

    /// The first thousand events of a stream.
    pub(crate) async fn stream(&self, stream: &StreamId) -> Result<Vec<Arc<RecordedEvent>>, PortError> {
        self.store.read_stream(stream, Version::NONE, MAX_PAGE).await
    }

    /// The version of a stream's head.
    pub(crate) async fn version(&self, stream: &StreamId) -> Result<Version, Failure> {
        let loaded =
            self.store.load(Load { streams: vec![query(stream, 0, None)], ..Load::default() }).await?;
        one(loaded.streams).map(|loaded| loaded.version)
    }

    /// The level of a pool.
    pub(crate) async fn level(&self, name: &str) -> Result<PoolLevel, Failure> {
        let load = Load { pools: vec![build::pool(name)], ..Load::default() };
        one(self.store.load(load).await?.pools)
    }

    /// The owner of a key.
    pub(crate) async fn owner(&self, name: &str) -> Result<Option<StreamId>, Failure> {
        let load = Load { by_claim: vec![build::key(name)], ..Load::default() };
        one(self.store.load(load).await?.by_claim)
    }

    /// Everything that the store answers to these questions.
    pub(crate) async fn load(&self, load: Load) -> Result<Loaded, PortError> {
        self.store.load(load).await
    }

    /// The rows of a table, at most a page.
    pub(crate) async fn rows(&self, table: Table) -> Result<Vec<Row>, PortError> {
        self.store.scan(table, None, MAX_PAGE).await
    }
}

/// A question about a stream.
pub(crate) fn query(stream: &StreamId, after: u64, snapshot_schema: Option<u16>) -> StreamQuery {
    StreamQuery { stream: stream.clone(), after: Version::new(after), snapshot_schema }
}

/// The only answer to the only question.
pub(crate) fn one<T>(mut answers: Vec<T>) -> Result<T, Failure> {
    match (answers.pop(), answers.len()) {
        (Some(answer), 0) => Ok(answer),
        _ => Err(Failure::new("one question must get one answer")),
    }
}

/// A fresh, empty store without anything besides it.
impl From<Arc<dyn Store>> for Fixture {
    fn from(store: Arc<dyn Store>) -> Self {
        Self { store, lease: None, clock: None, reopen: None, block_on: Arc::new(block_on) }
    }
}

/// A fresh, empty store without anything besides it.
impl From<Box<dyn Store>> for Fixture {
    fn from(store: Box<dyn Store>) -> Self {
        Self::from(Arc::<dyn Store>::from(store))
    }
}

impl fmt::Debug for Fixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fixture")
            .field("store", &self.store)
            .field("lease", &self.lease)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}
