//! Rates of several ways compared: measured in turn, round by round.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use commerce_benches::cpu::Cpu;
use commerce_benches::middle;

use crate::server::Server;

/// How long one figure is measured.
const SPAN: Duration = Duration::from_secs(1);
/// How often each way is measured.
pub(crate) const ROUNDS: usize = 5;

/// Does something that bears this number; gives how many units of work it was.
type Work = Arc<dyn Fn(u64) -> Pin<Box<dyn Future<Output = u64> + Send>> + Send + Sync>;

/// One way of doing the work.
pub(crate) struct Way {
    name: &'static str,
    work: Work,
}

impl Way {
    pub(crate) fn new<F>(name: &'static str, work: impl Fn(u64) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = u64> + Send + 'static,
    {
        Self { name, work: Arc::new(move |number| Box::pin(work(number))) }
    }

    async fn measure(&self, server: &Server, tasks: u64) -> Figure {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let stop = Arc::new(AtomicBool::new(false));
        let watch = Watch::start(server);
        let workers: Vec<_> = (0..tasks)
            .map(|_| {
                let (work, stop) = (self.work.clone(), stop.clone());
                tokio::spawn(async move {
                    let mut done = 0;
                    while !stop.load(Ordering::Relaxed) {
                        done += work(NUMBER.fetch_add(1, Ordering::Relaxed)).await;
                    }
                    done
                })
            })
            .collect();
        tokio::time::sleep(SPAN).await;
        stop.store(true, Ordering::Relaxed);
        let mut done = 0;
        for worker in workers {
            done += worker.await.unwrap();
        }
        watch.stop(server, done)
    }
}

/// Looks at the clock and at the processors while something is measured.
pub(crate) struct Watch {
    start: Instant,
    cpu: Cpu,
}

impl Watch {
    pub(crate) fn start(server: &Server) -> Self {
        Self { cpu: Cpu::now(server.process), start: Instant::now() }
    }

    pub(crate) fn stop(self, server: &Server, done: u64) -> Figure {
        let micros = u64::try_from(self.start.elapsed().as_micros()).unwrap();
        let cpu = Cpu::now(server.process);
        // Ticks of 10 ms, as tenths of a microsecond.
        let per = |now: u64, before: u64| now.saturating_sub(before) * 100_000 / done.max(1);
        let cost = (per(cpu.server, self.cpu.server), per(cpu.client, self.cpu.client));
        Figure { rate: done * 1_000_000 / micros, cost }
    }
}

/// A rate, and tenths of microseconds of processor time per unit of work: the server's and this process's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Figure {
    rate: u64,
    cost: (u64, u64),
}

/// Measures ways in turn and prints them; the first ones are what the others are compared with. These keys
/// are deleted behind every measurement.
pub(crate) async fn compare(server: &Server, ways: &[Way], raw: usize, counts: &[u64], grown: &[String]) {
    heading(raw);
    let names: Vec<&str> = ways.iter().map(|way| way.name).collect();
    // What is measured first would pay for the server's first writes.
    for way in ways {
        way.measure(server, 4).await;
        server.forget(grown).await;
    }
    for tasks in counts {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let mut round = Vec::new();
            for way in ways {
                round.push(way.measure(server, *tasks).await);
                server.forget(grown).await;
            }
            rounds.push(round);
        }
        rows(&names, raw, *tasks, &rounds);
    }
}

pub(crate) fn heading(raw: usize) {
    let over: Vec<String> = (1..=raw).map(|way| format!("{:>25}", format!("over raw {way}, %"))).collect();
    println!("{:42} {:>5} {:>10} {:>16}{}", "", "tasks", "per second", "µs of processor", over.concat());
}

/// Prints for each way the middle figure, and by how many percent more time it takes than the raw ones of the
/// same round: in the middle, at least and at most.
pub(crate) fn rows(names: &[&str], raw: usize, tasks: u64, rounds: &[Vec<Figure>]) {
    for (index, name) in names.iter().enumerate() {
        let rate = middle(rounds.iter().map(|round| round[index].rate));
        let server = middle(rounds.iter().map(|round| round[index].cost.0));
        let client = middle(rounds.iter().map(|round| round[index].cost.1));
        let cost = format!("{} + {}", tenths(server), tenths(client));
        let name = if index < raw { format!("raw {}: {name}", index + 1) } else { (*name).to_owned() };
        let over: Vec<String> = (0..raw).map(|way| format!("{:>25}", overhead(rounds, way, index))).collect();
        println!("{name:42} {tasks:>5} {rate:>10} {cost:>16}{}", over.concat());
    }
}

fn overhead(rounds: &[Vec<Figure>], raw: usize, index: usize) -> String {
    if raw == index {
        return String::new();
    }
    let percent = |round: &Vec<Figure>| {
        let more = (round[raw].rate * 1000 / round[index].rate.max(1) + 5) / 10;
        i64::try_from(more).unwrap() - 100
    };
    let all = || rounds.iter().map(percent);
    format!("{:+} ({:+} to {:+})", middle(all()), all().min().unwrap(), all().max().unwrap())
}

fn tenths(value: u64) -> String {
    format!("{}.{}", value / 10, value % 10)
}
