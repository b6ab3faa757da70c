//! A shop of one's own in the simulator: another gateway, another aggregate, somebody else who acts.
#![allow(clippy::unwrap_used)] // a failing step is a failing test

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use commerce_adapters_memory::MemoryStore;
use commerce_core::app::error::CommandError;
use commerce_core::event_types;
use commerce_core::kernel::aggregate::{Aggregate, Command, EvolveError};
use commerce_core::kernel::effects::Effects;
use commerce_core::port::payment::{
    Authorize, CallbackError, CallbackRequest, Charge, GatewayError, IdempotencyKey, Lookup, Operation,
    PaymentGateway, Settled, VerifiedCallback,
};
use commerce_core::value::id::Id;
use commerce_core::value::time::Timestamp;
use commerce_testkit::check::Rule;
use commerce_testkit::fake::Gateway;
use commerce_testkit::shop::Shop;
use commerce_testkit::sim::{Actor, Answer, Context, Ground, Simulation};
use serde::{Deserialize, Serialize};

/// Points that a customer collects on a card.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Card {
    points: u64,
}

#[derive(Debug, Clone, Serialize)]
struct Collect {
    points: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum CardEvent {
    Collected { points: u64 },
}

event_types! { CardEvent { Collected => "PointsCollected" v1 } }

#[derive(Debug, Clone, PartialEq)]
struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the card is full")
    }
}

impl std::error::Error for Full {}

impl Command for Collect {
    type Target = Card;
}

impl Aggregate for Card {
    const NAME: &'static str = "card";
    type Root = Self;
    type Command = Collect;
    type Event = CardEvent;
    type Error = Full;

    fn decide(state: Option<&Self>, command: Collect, _: Timestamp) -> Result<Vec<CardEvent>, Full> {
        let points = state.map_or(0, |card| card.points) + command.points;
        if points > 5000 { Err(Full) } else { Ok(vec![CardEvent::Collected { points: command.points }]) }
    }

    fn evolve(state: Option<Self>, event: &CardEvent) -> Result<Self, EvolveError> {
        let CardEvent::Collected { points } = event;
        Ok(Self { points: state.map_or(0, |card| card.points) + points })
    }

    fn effects(id: Id<Self>, _: &CardEvent) -> Effects {
        Effects::none().claim("card", id.to_string())
    }
}

/// Collects points, and knows how many it was told it has.
#[derive(Debug)]
struct Collector {
    acknowledged: Arc<AtomicU64>,
}

#[async_trait]
impl Actor for Collector {
    fn name(&self) -> String {
        "collector".to_owned()
    }

    async fn live(self: Box<Self>, mut context: Context) {
        let card: Id<Card> = Id::derived(uuid::Uuid::nil(), b"card");
        let mut uncertain = false;
        while !context.is_over() {
            context.rest(Duration::from_secs(3)).await;
            let points = 1 + context.dice().below(9);
            let collect = move |shop: Shop, id| async move {
                let staff = shop.staff().with_command_id(id);
                staff.execute(card, Collect { points }).await.map(|done| done.version.get())
            };
            match context.insist::<u64, CommandError<Full>, _>("collect", collect).await {
                Answer::Done(version) => {
                    let known = self.acknowledged.fetch_add(1, Ordering::Relaxed) + 1;
                    if version < known || (!uncertain && version != known) {
                        context.complain(Rule::Idempotency, format!("{known} times collected: {version}"));
                    }
                }
                Answer::Failed(_) => uncertain = true,
                Answer::Refused(_) => {}
            }
        }
    }
}

/// A gateway under a name of its own.
#[derive(Debug)]
struct House {
    behind: Gateway,
    calls: Arc<AtomicU64>,
}

impl House {
    fn count(&self) -> &Gateway {
        self.calls.fetch_add(1, Ordering::Relaxed);
        &self.behind
    }
}

#[async_trait]
impl PaymentGateway for House {
    fn name(&self) -> &'static str {
        "house-bank"
    }

    async fn authorize(&self, request: Authorize) -> Result<Charge, GatewayError> {
        self.count().authorize(request).await
    }

    async fn capture(&self, request: Operation) -> Result<Settled, GatewayError> {
        self.count().capture(request).await
    }

    async fn void(&self, request: Operation) -> Result<Settled, GatewayError> {
        self.count().void(request).await
    }

    async fn refund(&self, request: Operation) -> Result<Settled, GatewayError> {
        self.count().refund(request).await
    }

    async fn lookup(&self, key: &IdempotencyKey) -> Result<Lookup, GatewayError> {
        self.count().lookup(key).await
    }

    fn verify(&self, request: &CallbackRequest) -> Result<VerifiedCallback, CallbackError> {
        self.behind.verify(request)
    }
}

#[test]
fn a_gateway_an_aggregate_and_an_actor_of_ones_own() {
    let (calls, acknowledged) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (counted, told) = (calls.clone(), acknowledged.clone());
    let simulation = Simulation::on(|clock| Ground::on(MemoryStore::with_clock(Arc::new(clock))))
        .with_gateway(move |behind| Arc::new(House { behind, calls: counted.clone() }))
        .know::<Card>()
        .with_actor(move |_| Collector { acknowledged: told.clone() })
        .with_commands(300);
    for seed in 0..2 {
        acknowledged.store(0, Ordering::Relaxed);
        let run = simulation.run(seed);
        assert!(run.failure.is_none(), "{run}");
        assert!(acknowledged.load(Ordering::Relaxed) > 10, "{run}");
        // The card's key is in the table, and the books know it.
        assert!(run.findings.iter().any(|line| line.contains("I9") && line.starts_with("ok")));
    }
    assert!(calls.load(Ordering::Relaxed) > 50);
}
