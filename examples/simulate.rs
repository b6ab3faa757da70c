//! A whole shop under seeds of chance, with everything that can fail at every call.
//!
//! - `cargo run --example simulate -- --seed 7` replays one seed readably;
//! - `… -- --seed 7 --steps 900` replays its first 900 steps;
//! - `… -- --seeds 0..200` runs many and prints what went wrong how often.
#![allow(clippy::print_stdout)] // an example is there to be read

use std::env;
use std::ops::Range;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use commerce_adapters_memory::{MemoryStore, MemoryViews};
use commerce_testkit::faulty::Tally;
use commerce_testkit::sim::{Ground, Run, Simulation};

/// What is asked for.
struct Asked {
    seeds: Range<u64>,
    steps: Option<u64>,
    replays: bool,
}

fn asked(arguments: &[String]) -> Option<Asked> {
    let after = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1)
    };
    let steps = after("--steps").and_then(|steps| steps.parse().ok());
    if let Some(seed) = after("--seed").and_then(|seed| seed.parse::<u64>().ok()) {
        return Some(Asked { seeds: seed..seed + 1, steps, replays: true });
    }
    let (first, last) = after("--seeds").map_or("0..20", String::as_str).split_once("..")?;
    Some(Asked { seeds: first.parse().ok()?..last.parse().ok()?, steps, replays: false })
}

fn simulation() -> Simulation {
    Simulation::on(|clock| {
        Ground::on(MemoryStore::with_clock(Arc::new(clock))).with_views(MemoryViews::new())
    })
}

/// Shows one seed.
fn replay(seed: u64, steps: Option<u64>) -> bool {
    let simulation = simulation().traced();
    let run = match steps {
        Some(steps) => simulation.run_prefix(seed, steps),
        None => simulation.run(seed),
    };
    for line in &run.trace {
        println!("{line}");
    }
    for line in &run.findings {
        println!("{line}");
    }
    println!("{}\n{run}", run.tally);
    run.failure.is_none()
}

/// Runs the seeds on every core; gives the runs in the order of their seeds.
fn run_all(seeds: &Range<u64>) -> Vec<Run> {
    let next = AtomicU64::new(seeds.start);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut runs = thread::scope(|scope| {
        let work = || {
            let simulation = simulation();
            let mut runs = Vec::new();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if !seeds.contains(&seed) {
                    return runs;
                }
                runs.push(simulation.run(seed));
            }
        };
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        workers.into_iter().filter_map(|worker| worker.join().ok()).flatten().collect::<Vec<_>>()
    });
    runs.sort_by_key(|run| run.seed);
    runs
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().collect();
    let Some(Asked { seeds, steps, replays }) = asked(&arguments) else {
        println!("simulate --seed N [--steps S] | --seeds A..B");
        return ExitCode::FAILURE;
    };
    if replays {
        return if replay(seeds.start, steps) { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let runs = run_all(&seeds);
    let mut tally = Tally::default();
    for run in &runs {
        tally.merge(&run.tally);
    }
    for run in runs.iter().filter(|run| run.failure.is_some()) {
        println!("{}", simulation().shortest(run.seed).as_ref().unwrap_or(run));
    }
    println!("{tally}");
    let sum = |count: fn(&Run) -> u64| runs.iter().map(count).sum::<u64>();
    let least = |count: fn(&Run) -> u64| runs.iter().map(count).min().unwrap_or(0);
    println!(
        "{} seeds: {} steps, {} commands (at least {} each), {} faults (at least {} each), {} deaths, {} events",
        runs.len(),
        sum(|run| run.steps),
        sum(|run| run.commands),
        least(|run| run.commands),
        tally.total(),
        least(|run| run.tally.total()),
        sum(|run| run.deaths),
        sum(|run| run.events),
    );
    let failed: Vec<_> = runs.iter().filter(|run| run.failure.is_some()).map(|run| run.seed).collect();
    println!("{} seeds failed: {failed:?}", failed.len());
    if failed.is_empty() && runs.len() as u64 == seeds.end - seeds.start {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
