//! A million events on their way out of the log: relays and projectors beside a scan of the same rows.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use commerce_adapters_memory::platform;
use commerce_adapters_postgres::{PgStore, PgViews, Settings};
use commerce_benches::order::Order;
use commerce_core::app::views::{Projection, ProjectionError};
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::kernel::stream::Slice;
use commerce_core::port::publisher::{Outgoing, PublishError, Publisher};
use commerce_core::port::store::Store;
use commerce_core::port::view::{Document, ViewSchema, ViewStore};
use commerce_core::prelude::*;
use commerce_core::value::Code;
use commerce_core::value::actor::Actor;
use commerce_tests::server::Cluster;

use crate::log::{copy, replay};
use crate::rate::{hundredths, middle};
use crate::store;

const EVENTS: u64 = 1_000_000;
const ROUNDS: u32 = 3;

pub(crate) async fn print(cluster: &Cluster) {
    let store = store(cluster, "relays", Settings::default()).await;
    let views: Arc<dyn ViewStore> = Arc::new(PgViews::on(&store));
    fill(&store).await;
    cluster.psql("relays", "vacuum analyze");
    replay(&store).await;
    println!("\nEvents per second of {EVENTS}, and as a share of the scan in the same round\n");
    let mut bench =
        Bench { cluster, shop: shop(&store), views, store, run: 0, scans: Vec::new(), copies: Vec::new() };
    for workers in [1, 2, 4, 8] {
        bench.row(workers).await;
    }
    let (scan, copied) = (middle(bench.scans.iter().copied()), middle(bench.copies.iter().copied()));
    println!("\nscan by pages {scan}, COPY of the same rows {copied}");
}

fn shop(store: &PgStore) -> Commerce {
    Commerce::new(store.clone(), platform()).acting_as(Actor::System)
}

struct Bench<'b> {
    cluster: &'b Cluster,
    store: PgStore,
    shop: Commerce,
    views: Arc<dyn ViewStore>,
    run: u32,
    scans: Vec<u64>,
    copies: Vec<u64>,
}

impl Bench<'_> {
    async fn row(&mut self, workers: u16) {
        let mut rates: [Vec<(u64, u64)>; 3] = Default::default();
        for _ in 0..ROUNDS {
            let scan = replay(&self.store).await;
            self.scans.push(scan);
            self.copies.push(copy(self.cluster, "relays", EVENTS).await);
            rates[0].push((self.relays(workers, Duration::ZERO).await, scan));
            rates[1].push((self.relays(workers, Duration::from_millis(2)).await, scan));
            rates[2].push((self.projectors(workers).await, scan));
        }
        let shown = rates.map(|rates| {
            let ratio = middle(rates.iter().map(|(rate, scan)| rate * 100 / scan));
            format!("{:>8} {}", middle(rates.iter().map(|(rate, _)| *rate)), hundredths(ratio))
        });
        let [nothing, slow, projector] = shown;
        println!("{workers} workers: relay {nothing} · relay, broker of 2 ms {slow} · projector {projector}");
    }

    async fn relays(&mut self, workers: u16, answer: Duration) -> u64 {
        self.run += 1;
        let start = Instant::now();
        let relays = (0..workers).map(|index| {
            let name = Code::new(&format!("relay-{}", self.run)).unwrap();
            let relay = self.shop.relay(name, Taking(answer)).unwrap();
            let relay = relay.within(Slice::new(index, workers).unwrap());
            tokio::spawn(async move {
                let mut published = 0;
                loop {
                    let round = relay.round().await.unwrap();
                    published += u64::from(round.handled);
                    if round.end {
                        return published;
                    }
                }
            })
        });
        total(start, relays.collect()).await
    }

    async fn projectors(&mut self, workers: u16) -> u64 {
        self.run += 1;
        let start = Instant::now();
        let projectors = (0..workers).map(|index| {
            let projector = self.shop.projector(Nothing(self.run), self.views.clone()).unwrap();
            let projector = projector.within(Slice::new(index, workers).unwrap()).unwrap();
            tokio::spawn(async move {
                let mut followed = 0;
                loop {
                    let round = projector.round().await.unwrap();
                    followed += u64::from(round.events);
                    if round.end {
                        return followed;
                    }
                }
            })
        });
        total(start, projectors.collect()).await
    }
}

async fn total(start: Instant, working: Vec<tokio::task::JoinHandle<u64>>) -> u64 {
    let mut events = 0;
    for worker in working {
        events += worker.await.unwrap();
    }
    // Behind the events of the bench stand those of the stock, and what relays keep, which none publishes.
    assert!((EVENTS..EVENTS + 100_000).contains(&events), "{events}");
    EVENTS * 1000 / u64::try_from(start.elapsed().as_millis()).unwrap()
}

/// Takes everything, after a while.
#[derive(Debug)]
struct Taking(Duration);

#[async_trait]
impl Publisher for Taking {
    async fn publish(&self, _batch: Vec<Outgoing>) -> Result<(), PublishError> {
        if !self.0.is_zero() {
            tokio::time::sleep(self.0).await;
        }
        Ok(())
    }
}

/// A view without documents.
#[derive(Debug)]
struct Nothing(u32);

impl Projection for Nothing {
    const AGGREGATE: &'static str = "order";
    const BY_STREAM: bool = true;
    type Document = u64;

    fn schema(&self) -> ViewSchema {
        ViewSchema::new("nothing", self.0)
    }

    fn concerns(&self, _: &RecordedEvent) -> Result<Vec<Arc<str>>, ProjectionError> {
        Ok(Vec::new())
    }

    fn apply(&self, _: &RecordedEvent, _: &str, known: Option<u64>) -> Result<Option<u64>, ProjectionError> {
        Ok(known)
    }

    fn index(&self, _: &u64, blank: Document) -> Document {
        blank
    }
}

async fn fill(store: &PgStore) {
    let writers: Vec<_> = (0..64)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for number in (writer..EVENTS).step_by(64) {
                    store.commit(Order::new((1 << 40) + number).single()).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}
