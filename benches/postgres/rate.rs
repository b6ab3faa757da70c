//! Rates, and rates of several ways compared: measured in turn, round by round.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use commerce_benches::cpu::Cpu;
use commerce_benches::order::Order;
pub(crate) use commerce_benches::{hundredths, middle};
use commerce_tests::server::Cluster;

use crate::pgbench::Script;

/// How long one figure is measured.
pub(crate) const SPAN: Duration = Duration::from_secs(1);
/// How often each way is measured.
const ROUNDS: usize = 5;

/// Somebody who places an order with this number; gives how many were placed.
pub(crate) type Place = Arc<dyn Fn(Order) -> Pin<Box<dyn Future<Output = u64> + Send>> + Send + Sync>;

/// One way of doing the work.
pub(crate) enum Way {
    /// By tasks of this process.
    Here(Place),
    /// By the server's own load generator, a session for each task.
    Pgbench(Script),
}

impl Way {
    /// Units of work per second with this many tasks.
    pub(crate) async fn measure(&self, cluster: &Cluster, tasks: u64) -> Figure {
        match self {
            Self::Here(place) => {
                let before = Cpu::now(cluster.process());
                let (rate, done) = by_tasks(place, tasks).await;
                Figure { rate, cost: Some(Cpu::now(cluster.process()).per(before, done)) }
            }
            // Its sessions are gone with their processor time when it has ended.
            Self::Pgbench(script) => Figure { rate: script.run(cluster, tasks), cost: None },
        }
    }
}

/// A rate, and the microseconds of processor time that one unit of work cost: the server's and this process's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Figure {
    pub(crate) rate: u64,
    cost: Option<(u64, u64)>,
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cost {
            Some((server, client)) => write!(f, "{} ({server} + {client})", self.rate),
            None => write!(f, "{}", self.rate),
        }
    }
}

async fn by_tasks(place: &Place, tasks: u64) -> (u64, u64) {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    let stop = Arc::new(AtomicBool::new(false));
    let placed = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let workers: Vec<_> = (0..tasks)
        .map(|_| {
            let (place, stop, placed) = (place.clone(), stop.clone(), placed.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let order = Order::new(NUMBER.fetch_add(100, Ordering::Relaxed));
                    placed.fetch_add(place(order).await, Ordering::Relaxed);
                }
            })
        })
        .collect();
    tokio::time::sleep(SPAN).await;
    stop.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.await.unwrap();
    }
    let placed = placed.load(Ordering::Relaxed);
    (placed * 1000 / u64::try_from(start.elapsed().as_millis()).unwrap(), placed)
}

/// Measures ways in turn and prints, for each, the middle figure and the middle of the ratios to the first
/// way of the same round.
pub(crate) async fn compare(cluster: &Cluster, ways: &[(&str, Way)], counts: &[u64]) {
    println!("{:34} {:>6} {:>22}   the first way / this", "", "tasks", "per second");
    // What is measured first would pay for the server's first writes.
    for (_, way) in ways {
        way.measure(cluster, 4).await;
    }
    for tasks in counts {
        let mut rounds: Vec<Vec<Figure>> = Vec::new();
        for _ in 0..ROUNDS {
            let mut round = Vec::new();
            for (_, way) in ways {
                round.push(way.measure(cluster, *tasks).await);
            }
            rounds.push(round);
        }
        for (index, (name, _)) in ways.iter().enumerate() {
            let figure = middle(rounds.iter().map(|round| round[index]));
            let ratios = rounds.iter().map(|round| round[0].rate * 100 / round[index].rate.max(1));
            println!("{name:34} {tasks:>6} {:>22}   {}", figure.to_string(), hundredths(middle(ratios)));
        }
    }
}
