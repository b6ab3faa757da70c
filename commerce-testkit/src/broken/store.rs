//! The broken store: a lock around the tables, and races where a break lets go of it.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::kernel::commit::{Commit, Load, Loaded, Receipt};
use commerce_core::kernel::error::{CommitError, PortError};
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::kernel::stream::{Position, StreamId, Version};
use commerce_core::port::clock::Clock;
use commerce_core::port::store::{Capabilities, Due, DueQuery, LogQuery, Page, Row, Store, Table};
use commerce_core::value::time::Timestamp;

use super::flaw::Break;
use super::part::{early, parts};
use super::state::State;
use crate::conformance::Fixture;
use crate::fake;

/// A store in memory that breaks one clause, or none.
///
/// Clones share their content.
#[derive(Clone)]
pub struct BrokenStore {
    state: Arc<Mutex<State>>,
    clock: Arc<dyn Clock>,
    born: Timestamp,
    /// How often the lock was let go of in the middle.
    arrivals: Arc<AtomicUsize>,
}

/// A fresh store with this break, for the conformance suite.
pub fn fixture(flaw: Option<Break>) -> Fixture {
    let clock = fake::Clock::default();
    let store = BrokenStore::new(flaw, Arc::new(clock.clone()));
    let handle = store.clone();
    let reopen = move || {
        let again = handle.reopened();
        async move { Arc::new(again) as Arc<dyn Store> }
    };
    Fixture::new(store.clone()).with_lease(store).with_clock(clock).with_reopen(reopen)
}

impl BrokenStore {
    /// An empty store that breaks this clause and judges time by this clock.
    pub fn new(flaw: Option<Break>, clock: Arc<dyn Clock>) -> Self {
        let state = Arc::new(Mutex::new(State { flaw, ..State::default() }));
        Self { state, born: clock.now(), clock, arrivals: Arc::default() }
    }

    fn reopened(&self) -> Self {
        let state = self.state();
        let again = match state.flaw {
            Some(Break::ForgetsOnReopening) => State { flaw: state.flaw, ..State::default() },
            Some(Break::ReopensACopy) => state.clone(),
            _ => return self.clone(),
        };
        Self { state: Arc::new(Mutex::new(again)), ..self.clone() }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets go of the lock for a while.
    fn let_go<'s>(&'s self, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        drop(state);
        std::thread::sleep(Duration::from_millis(3));
        self.state()
    }

    /// Lets go of the lock until somebody else has come as far, or nobody has for long.
    pub(super) fn meet<'s>(&'s self, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        let ours = self.arrivals.fetch_add(1, Ordering::SeqCst) + 1;
        drop(state);
        for _ in 0..100 {
            if self.arrivals.load(Ordering::SeqCst) > ours {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.state()
    }

    pub(super) fn now(&self) -> Timestamp {
        if self.state().has(Break::ClockStandsStill) { self.born } else { self.clock.now() }
    }

    /// A commit of a store that lets go of its lock in the middle.
    fn commit_in_a_race(&self, commit: Commit, now: Timestamp) -> Result<Position, CommitError> {
        let state = self.state();
        state.check(&commit, now)?;
        match state.flaw {
            Some(Break::LosesUpdates) => {
                let pools = state.pools.clone();
                let mut state = self.meet(state);
                state.pools = pools;
                let start = state.last;
                Ok(state.apply(commit, start))
            }
            Some(Break::PositionsBeforeEvents) => {
                let mut state = state;
                let start = state.last;
                state.last += commit.events() as u64;
                drop(state);
                // Not all equally long, so that what came later is seen earlier.
                std::thread::sleep(Duration::from_millis(start / 2 % 4 * 2));
                Ok(self.state().apply(commit, start))
            }
            Some(Break::CommitsInParts) => {
                let (mut state, mut position) = (state, Position::START);
                for part in parts(commit) {
                    let start = state.last;
                    position = state.apply(part, start);
                    state = self.let_go(state);
                }
                Ok(position)
            }
            flaw => {
                let mut state = self.meet(state);
                state.check(&early(flaw, &commit), now)?;
                let start = state.last;
                Ok(state.apply(commit, start))
            }
        }
    }
}

/// Whether a break lets go of the lock within a commit.
const fn races(flaw: Option<Break>) -> bool {
    matches!(
        flaw,
        Some(
            Break::KeysOutsideTheLock
                | Break::PoolsOutsideTheLock
                | Break::VersionsOutsideTheLock
                | Break::MarksOutsideTheLock
                | Break::ExpectsOutsideTheLock
                | Break::LosesUpdates
                | Break::PositionsBeforeEvents
                | Break::CommitsInParts
        )
    )
}

impl fmt::Debug for BrokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BrokenStore").field("flaw", &self.state().flaw).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for BrokenStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities { durable: true, shared: true }
    }

    async fn load(&self, load: Load) -> Result<Loaded, PortError> {
        let state = self.state();
        if !state.has(Break::LoadsInParts) {
            return Ok(state.load(&load));
        }
        let streams = state.load(&load).streams;
        Ok(Loaded { streams, ..self.let_go(state).load(&load) })
    }

    async fn commit(&self, commit: Commit) -> Result<Receipt, CommitError> {
        let now = self.now();
        let mut state = self.state();
        if races(state.flaw) {
            drop(state);
            return self.commit_in_a_race(commit, now).map(|position| Receipt { position });
        }
        let first = commit.append.first().and_then(|append| append.events.first()).map(|event| event.id);
        let known = commit.mark.is_none() && state.log.iter().any(|event| Some(event.event.id) == first);
        if known && state.has(Break::RecognisesUnmarkedRepeats) {
            return Ok(Receipt { position: state.end() });
        }
        match state.check(&commit, now) {
            Ok(()) => {
                let start = state.last;
                Ok(Receipt { position: state.apply(commit, start) })
            }
            Err(refusal) => {
                state.leave(commit);
                Err(refusal)
            }
        }
    }

    async fn read_all(&self, query: LogQuery) -> Result<Page, PortError> {
        self.state().read_all(query)
    }

    async fn read_stream(
        &self,
        stream: &StreamId,
        after: Version,
        limit: u32,
    ) -> Result<Vec<Arc<RecordedEvent>>, PortError> {
        Ok(self.state().read_stream(stream, after, limit))
    }

    async fn due(&self, query: DueQuery) -> Result<Due, PortError> {
        let now = self.now();
        let mut state = self.state();
        if !state.has(Break::DueOutsideTheLock) {
            return Ok(state.due(&query, now));
        }
        let mut copy = state.clone();
        let due = copy.due(&query, now);
        let mut state = self.meet(state);
        for timer in &due.timers {
            if let Some(leased) = copy.timers.remove(&timer.key) {
                state.timers.insert(timer.key.clone(), leased);
            }
        }
        Ok(due)
    }

    async fn scan(&self, table: Table, after: Option<&str>, limit: u32) -> Result<Vec<Row>, PortError> {
        self.state().scan(table, after, limit)
    }
}
