//! The kit finds what it is there to find: bugs that are planted, one at a time, below a shop that works,
//! with what catches each. None is in the library itself: each is in a wrapper around a port.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // a failing step is a failing test

mod clause;
mod meddle;
mod shop;
mod store;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use commerce_testkit::check::Rule;
use commerce_testkit::sim::Simulation;

/// Seeds that are tried until a bug shows.
const SEEDS: u64 = 40;
/// How many bugs there are at least.
const BUGS: usize = 50;

/// A bug, and what looks for it: either what caught it, or what was seen instead.
pub(crate) struct Seeded {
    pub(crate) name: &'static str,
    pub(crate) hunt: Box<dyn Fn() -> Result<String, String> + Send + Sync>,
}

/// Some seed shows a breach of one of these rules.
pub(crate) fn bites(simulation: &Simulation, rules: &[Rule]) -> Result<String, String> {
    let mut seen = Vec::new();
    for seed in 0..SEEDS {
        let Some(failure) = simulation.run(seed).failure else { continue };
        if let Some(breach) = failure.breaches.iter().find(|breach| rules.contains(&breach.rule)) {
            return Ok(format!("simulator, {}, seed {seed}, step {}", breach.rule.name(), failure.step));
        }
        seen.extend(failure.breaches);
    }
    Err(format!("no breach of {rules:?} in {SEEDS} seeds, only {seen:?}"))
}

/// No seed shows anything.
pub(crate) fn is_quiet(simulation: &Simulation) {
    let simulation = simulation.clone().with_commands(250);
    for seed in 0..3 {
        let run = simulation.run(seed);
        assert!(run.failure.is_none(), "{run}");
    }
}

/// Bugs that the simulator finds by breaches of rules.
macro_rules! simulated {
    ($($name:ident: $simulation:expr => [$($rule:ident),+],)+) => {
        vec![$($crate::Seeded {
            name: stringify!($name),
            hunt: Box::new(|| $crate::bites(&$simulation, &[$(commerce_testkit::check::Rule::$rule),+])),
        },)+]
    };
}
pub(crate) use simulated;

/// What came of every bug, in their order; several are looked for at once.
fn hunt(bugs: &[Seeded]) -> Vec<Result<String, String>> {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((at, bug)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    bugs.get(at).map(|bug| (at, bug))
                } {
                    let outcome = (bug.hunt)();
                    found.lock().unwrap().push((at, outcome));
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap();
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, outcome)| outcome).collect()
}

#[test]
fn every_seeded_bug_is_caught() {
    let bugs: Vec<Seeded> = [store::bugs(), shop::bugs(), clause::bugs()].into_iter().flatten().collect();
    let outcomes = hunt(&bugs);
    let mut missed = Vec::new();
    for (bug, outcome) in bugs.iter().zip(&outcomes) {
        let by = outcome.as_ref().unwrap_or_else(|seen| seen);
        println!("{:48} {by}", bug.name.replace('_', " "));
        if outcome.is_err() {
            missed.push((bug.name, by));
        }
    }
    println!("caught {} of {}", bugs.len() - missed.len(), bugs.len());
    assert!(missed.is_empty(), "{missed:#?}");
    assert!(bugs.len() >= BUGS, "{}", bugs.len());
}
