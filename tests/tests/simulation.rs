//! G1: whole shops under seeds of chance. `cargo run --example simulate -- --seed N` replays a seed.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // a failing step is a failing test

use std::env;
use std::ops::Range;
use std::sync::Arc;

use commerce_adapters_memory::{MemoryStore, MemoryViews};
use commerce_testkit::broken::{Break, BrokenStore};
use commerce_testkit::faulty::{Port, Tally};
use commerce_testkit::sim::{Ground, Simulation};

/// What a shop can do without; `tests/side_faults.rs` tries it.
const BESIDE: [Port; 3] = [Port::Cache, Port::Limiter, Port::Sessions];

fn shop() -> Simulation {
    Simulation::on(|clock| {
        Ground::on(MemoryStore::with_clock(Arc::new(clock))).with_views(MemoryViews::new())
    })
}

/// Runs a share of the seeds; a seed that fails is shown by its shortest prefix.
fn runs(share: u64) {
    let seeds: u64 = env::var("SIMULATION_SEEDS").map_or(200, |seeds| seeds.parse().unwrap());
    let each = seeds / 4;
    let seeds: Range<u64> = share * each..(share + 1) * each;
    let (simulation, mut tally, mut deaths) = (shop(), Tally::default(), 0);
    for seed in seeds.clone() {
        let run = simulation.run(seed);
        assert!(run.failure.is_none(), "{}", simulation.shortest(seed).unwrap());
        assert!(run.commands >= 500 && run.tally.total() >= 50, "{run}");
        tally.merge(&run.tally);
        deaths += run.deaths;
    }
    println!("seeds {seeds:?}: {} faults, {deaths} deaths\n{tally}", tally.total());
    let gaps: Vec<_> = tally.gaps().into_iter().filter(|(port, _)| !BESIDE.contains(port)).collect();
    assert_eq!(gaps, [], "{tally}");
    assert!(deaths > each, "{deaths}");
}

#[test]
fn g1_simulator_first_quarter() {
    runs(0);
}

#[test]
fn g1_simulator_second_quarter() {
    runs(1);
}

#[test]
fn g1_simulator_third_quarter() {
    runs(2);
}

#[test]
fn g1_simulator_last_quarter() {
    runs(3);
}

#[test]
fn g1_equal_seeds_leave_equal_traces() {
    let simulation = shop().with_commands(150).traced();
    let (first, second) = (simulation.run(7), simulation.run(7));
    assert!(first.trace.len() > 2000, "{}", first.trace.len());
    for (line, (one, other)) in first.trace.iter().zip(&second.trace).enumerate() {
        assert_eq!(one, other, "line {line}");
    }
    assert_eq!(first, second);
    assert_ne!(simulation.run(8).trace, first.trace);
}

#[test]
fn g1_a_prefix_goes_as_the_whole_did() {
    let simulation = shop().with_commands(150).traced();
    let whole = simulation.run(3);
    let prefix = simulation.run_prefix(3, 500);
    assert_eq!((prefix.steps, prefix.failure.is_none()), (500, true), "{prefix}");
    let begins = |line: &String| line.contains("step 400 ");
    let until = |trace: &[String]| trace.iter().position(begins).unwrap();
    assert_eq!(prefix.trace.get(..until(&prefix.trace)), whole.trace.get(..until(&whole.trace)));
}

#[test]
fn g1_the_shortest_prefix_fails_and_the_next_shorter_ones_pass() {
    let broken = |clock| Ground::on(BrokenStore::new(Some(Break::LosesConsume), Arc::new(clock)));
    let simulation = Simulation::on(broken).with_commands(60);
    let shortest = (0..40).find_map(|seed| simulation.shortest(seed)).unwrap();
    let seed = shortest.seed;
    let fails = shortest.failure.as_ref().unwrap().step;
    assert!(fails > 1, "{shortest}");
    assert_eq!(simulation.run_prefix(seed, fails).failure, shortest.failure);
    for steps in fails.saturating_sub(16).max(1)..fails {
        let shorter = simulation.run_prefix(seed, steps);
        assert!(shorter.failure.is_none(), "{steps} of {fails} steps fail too: {shorter}");
    }
}
