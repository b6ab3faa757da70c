//! Decides what goes wrong with which call, and counts it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use commerce_core::kernel::commit::Commit;
use commerce_core::port::clock::{Clock, Sleeper};
use commerce_core::value::time::Timestamp;
use uuid::Uuid;

use super::fault::{Fault, Port};
use super::plan::{Plan, Rates, Script};
use super::tally::Tally;
use crate::dice::Dice;

/// A call of a port, before it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Whose.
    pub port: Port,
    /// Which.
    pub operation: &'static str,
    /// The how-many-eth of this operation, from 1.
    pub nth: u64,
    /// The how-many-eth awaited call of all ports, from 1; `None` for calls that are not awaited.
    pub number: Option<u64>,
}

/// Sees every call and what goes wrong with it.
type Watcher = Arc<dyn Fn(&Call, Option<Fault>) + Send + Sync>;

/// What goes wrong, for all ports of one process. Clones share everything.
#[derive(Clone)]
pub struct Faults {
    pub(super) shared: Arc<Mutex<Shared>>,
    dead: Arc<AtomicBool>,
}

pub(super) struct Shared {
    pub(super) plan: Plan,
    tally: Tally,
    operations: BTreeMap<(Port, &'static str), u64>,
    awaited: u64,
    pub(super) passed: BTreeMap<Port, u64>,
    pub(super) held_back: Vec<Waker>,
    pub(super) time: Option<(Arc<dyn Clock>, Arc<dyn Sleeper>)>,
    pub(super) yields: bool,
    /// Commits whose callers have given up on them.
    pub(super) late: Vec<Commit>,
    pub(super) last_reading: Option<Timestamp>,
    pub(super) spare_id: Option<Uuid>,
    watcher: Option<Watcher>,
}

impl Faults {
    fn planned(plan: Plan) -> Self {
        let shared = Shared {
            plan,
            tally: Tally::default(),
            operations: BTreeMap::new(),
            awaited: 0,
            passed: BTreeMap::new(),
            held_back: Vec::new(),
            time: None,
            yields: false,
            late: Vec::new(),
            last_reading: None,
            spare_id: None,
            watcher: None,
        };
        Self { shared: Arc::new(Mutex::new(shared)), dead: Arc::default() }
    }

    /// Nothing goes wrong; calls are counted.
    pub fn none() -> Self {
        Self::planned(Plan::Nothing)
    }

    /// By chance; equal seeds and equal calls give equal faults.
    pub fn seeded(seed: u64, rates: Rates) -> Self {
        Self::planned(Plan::Seeded(Dice::seeded(seed), rates))
    }

    /// As it is written.
    pub fn scripted(script: Script) -> Self {
        Self::planned(Plan::Scripted(script))
    }

    /// From now on as it is written there; calls of the whole are counted anew.
    pub fn rewrite(&self, script: Script) {
        let mut shared = self.lock();
        shared.plan = Plan::Scripted(script);
        shared.awaited = 0;
        shared.operations.clear();
    }

    /// Delays pass by this clock and sleeper; without them a delay is only a chance for others to go first.
    #[must_use]
    pub fn with_time(self, clock: Arc<dyn Clock>, sleeper: Arc<dyn Sleeper>) -> Self {
        self.lock().time = Some((clock, sleeper));
        self
    }

    /// Every awaited call gives others the chance to go first, before its effect and behind it.
    #[must_use]
    pub fn interleaved(self) -> Self {
        self.lock().yields = true;
        self
    }

    /// Shows every call, and what goes wrong with it, before it is made.
    #[must_use]
    pub fn watched(self, watcher: impl Fn(&Call, Option<Fault>) + Send + Sync + 'static) -> Self {
        self.lock().watcher = Some(Arc::new(watcher));
        self
    }

    /// Nothing goes wrong any more.
    pub fn stop(&self) {
        self.lock().plan = Plan::Nothing;
    }

    /// Another process under the same plan and counts, alive.
    #[must_use]
    pub fn next_process(&self) -> Self {
        Self { shared: self.shared.clone(), dead: Arc::default() }
    }

    /// Whether this process has died: whoever drives it drops all its futures and caches.
    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    /// What went wrong so far.
    pub fn tally(&self) -> Tally {
        self.lock().tally.clone()
    }

    /// How many awaited calls there were.
    pub fn calls(&self) -> u64 {
        self.lock().awaited
    }

    pub(super) fn die(&self) {
        self.dead.store(true, Ordering::SeqCst);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What goes wrong with the next call of this operation.
    pub(super) fn next(&self, port: Port, operation: &'static str, awaited: bool) -> Option<Fault> {
        let (call, fault, watcher) = {
            let mut shared = self.lock();
            let number = awaited.then(|| {
                shared.awaited = shared.awaited.saturating_add(1);
                shared.awaited
            });
            let count = shared.operations.entry((port, operation)).or_default();
            *count = count.saturating_add(1);
            let call = Call { port, operation, nth: *count, number };
            let fault = shared.plan.fault(&call);
            (call, fault, shared.watcher.clone())
        };
        if let Some(watcher) = watcher {
            watcher(&call, fault);
        }
        fault
    }

    /// Counts a fault that was injected.
    pub(super) fn injected(&self, port: Port, fault: Fault) {
        self.lock().tally.add(port, fault);
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = self.lock();
        f.debug_struct("Faults")
            .field("calls", &shared.awaited)
            .field("injected", &shared.tally.total())
            .field("dead", &self.is_dead())
            .finish_non_exhaustive()
    }
}
