//! The store: a lock around the tables.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use commerce_core::kernel::commit::{Commit, Load, Loaded, Receipt};
use commerce_core::kernel::error::{CommitError, PortError};
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::kernel::stream::{StreamId, Version};
use commerce_core::port::clock::Clock;
use commerce_core::port::store::{Capabilities, Due, DueQuery, LogQuery, MAX_PAGE, Page, Row, Store, Table};

use crate::SystemClock;
use crate::state::{State, number, position};
use crate::sync::{Mutex, MutexGuard, lock};

/// The five primitives, the log and leases in memory.
///
/// Clones share their content. Every operation takes one lock and never waits inside it.
#[derive(Clone)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl MemoryStore {
    /// An empty store on the machine's clock.
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock))
    }

    /// An empty store that judges timers and leases by this clock.
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self { state: Arc::new(Mutex::new(State::default())), clock }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("MemoryStore")
            .field("events", &state.log.len())
            .field("streams", &state.streams.len())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    async fn load(&self, load: Load) -> Result<Loaded, PortError> {
        Ok(self.state().load(&load))
    }

    async fn commit(&self, commit: Commit) -> Result<Receipt, CommitError> {
        let now = self.clock.now();
        self.state().commit(commit, now)
    }

    async fn read_all(&self, query: LogQuery) -> Result<Page, PortError> {
        let state = self.state();
        let start = number(query.after).min(state.log.len());
        let limit = query.limit.min(MAX_PAGE) as usize;
        let behind = state.log.iter().skip(start);
        let ours = behind.filter(|event| query.slice.contains(event.stream.id));
        let events: Vec<_> = ours.take(limit).cloned().collect();
        let passed = if limit == 0 { position(start) } else { state.end() };
        let next = events.last().map_or(passed, |last| last.position);
        Ok(Page { events, next })
    }

    async fn read_stream(
        &self,
        stream: &StreamId,
        after: Version,
        limit: u32,
    ) -> Result<Vec<Arc<RecordedEvent>>, PortError> {
        let state = self.state();
        let skip = usize::try_from(after.get()).unwrap_or(usize::MAX);
        let limit = limit.min(MAX_PAGE) as usize;
        Ok(state
            .streams
            .get(stream)
            .map_or_else(Vec::new, |stream| stream.events.iter().skip(skip).take(limit).cloned().collect()))
    }

    async fn due(&self, query: DueQuery) -> Result<Due, PortError> {
        let now = self.clock.now();
        Ok(self.state().due(&query, now))
    }

    async fn scan(&self, table: Table, after: Option<&str>, limit: u32) -> Result<Vec<Row>, PortError> {
        Ok(self.state().scan(table, after, limit.min(MAX_PAGE) as usize))
    }
}
