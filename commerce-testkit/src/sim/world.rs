//! What everybody shares.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use commerce_core::port::clock::Clock as _;
use commerce_core::value::{Label, Rate, TaxClass, TaxRate};

use super::context::Process;
use super::shelf::Shelf;
use crate::check::Breach;
use crate::dice::Dice;
use crate::fake::{Broker, Carrier, Clock, Gateway, Outbox, TaxTable};

/// The way of sending that only the carrier knows.
pub(super) const EXPRESS: &str = "express";
/// The shop's own way of sending.
pub(super) const POST: &str = "post";

/// A tax on everything, inside its price or on top of it as the settings say.
fn vat() -> TaxTable {
    let parsed = (Label::new("VAT"), Rate::parse("19"));
    let (Ok(name), Ok(rate)) = parsed else { return TaxTable::new() };
    TaxTable::new().levying(None, TaxRate { name, class: TaxClass::Standard, rate })
}

/// Something that goes on by itself.
pub(super) type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A task that is to be taken up.
pub(super) struct Spawned {
    pub(super) node: Option<usize>,
    pub(super) name: Arc<str>,
    pub(super) work: Work,
}

/// What everybody shares.
pub(super) struct World {
    pub(super) clock: Clock,
    pub(super) gateway: Gateway,
    /// The name under which the shop knows it.
    pub(super) provider: &'static str,
    pub(super) outbox: Outbox,
    pub(super) carrier: Carrier,
    pub(super) taxes: TaxTable,
    /// Where events are published, in every fourth seed: it takes as long as all the rest.
    pub(super) broker: Option<Broker>,
    pub(super) shelf: Shelf,
    nodes: Mutex<Vec<Process>>,
    dice: Mutex<Dice>,
    spawned: Mutex<Vec<Spawned>>,
    breaches: Mutex<Vec<Breach>>,
    trace: Option<Mutex<Vec<String>>>,
    commands: AtomicU64,
    wanted: u64,
    closed: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    pub(super) fn new(
        clock: Clock,
        (gateway, provider): (Gateway, &'static str),
        dice: Dice,
        wanted: u64,
        traced: bool,
    ) -> Self {
        Self {
            clock,
            gateway,
            provider,
            outbox: Outbox::taking(),
            carrier: Carrier::new().offering(EXPRESS, 790, Some(1)),
            taxes: vat(),
            broker: None,
            shelf: Shelf::default(),
            nodes: Mutex::default(),
            dice: Mutex::new(dice),
            spawned: Mutex::default(),
            breaches: Mutex::default(),
            trace: traced.then(Mutex::default),
            commands: AtomicU64::new(0),
            wanted,
            closed: AtomicBool::new(false),
        }
    }

    pub(super) fn fork_dice(&self) -> Dice {
        lock(&self.dice).fork()
    }

    /// Puts a process in its place.
    pub(super) fn install(&self, node: usize, process: Process) {
        let mut nodes = lock(&self.nodes);
        match nodes.get_mut(node) {
            Some(place) => *place = process,
            None => nodes.push(process),
        }
    }

    /// One of the processes.
    pub(super) fn choose(&self, throw: u64) -> (usize, Process) {
        let nodes = lock(&self.nodes);
        let index = throw.checked_rem(nodes.len() as u64).and_then(|index| usize::try_from(index).ok());
        let index = index.unwrap_or(0);
        #[allow(clippy::expect_used)] // processes are installed before anybody can ask
        (index, nodes.get(index).expect("there is a process").clone())
    }

    pub(super) fn spawn(&self, node: Option<usize>, name: Arc<str>, work: Work) {
        lock(&self.spawned).push(Spawned { node, name, work });
    }

    pub(super) fn take_spawned(&self) -> Vec<Spawned> {
        std::mem::take(&mut lock(&self.spawned))
    }

    pub(super) fn breach(&self, breach: Breach) {
        lock(&self.breaches).push(breach);
    }

    pub(super) fn take_breaches(&self) -> Vec<Breach> {
        std::mem::take(&mut lock(&self.breaches))
    }

    pub(super) fn write(&self, line: impl FnOnce() -> String) {
        if let Some(trace) = &self.trace {
            let line = format!("{} {}", self.clock.now(), line());
            lock(trace).push(line);
        }
    }

    pub(super) fn take_trace(&self) -> Vec<String> {
        self.trace.as_ref().map(|trace| std::mem::take(&mut *lock(trace))).unwrap_or_default()
    }

    pub(super) fn count_command(&self) {
        self.commands.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn commands(&self) -> u64 {
        self.commands.load(Ordering::Relaxed)
    }

    pub(super) fn is_over(&self) -> bool {
        self.closed.load(Ordering::Relaxed) || self.commands() >= self.wanted
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("clock", &self.clock).finish_non_exhaustive()
    }
}
