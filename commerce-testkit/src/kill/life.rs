//! One shop through all its deaths.

use std::sync::Arc;

use commerce_core::app::commerce::{Commerce, Platform};
use commerce_core::checkout::Checkout;
use commerce_core::checkout::machine::Status;
use commerce_core::orders::{Order, OrderStatus};
use commerce_core::port::clock::Clock as _;
use commerce_core::port::payment::PaymentGateway;
use commerce_core::port::store::Store;
use commerce_core::value::time::Timestamp;

use super::bank::{Bank, FakeBank};
use super::report::Outcome;
use super::scenario::{Prepared, Scenario};
use super::{KillPoint, Recovery};
use crate::check::{Books, Breach, Findings, WatchedGateway};
use crate::fake::{Clock, Gateway, Ids, Sleeper};
use crate::faulty::{Faults, Faulty, Script, until_it_dies};
use crate::shop::Shop;

/// A store and a gateway that outlive every process.
pub(super) struct Life {
    store: Arc<dyn Store>,
    clock: Clock,
    gateway: Gateway,
    watched: WatchedGateway,
    scenario: Scenario,
    prepared: Prepared,
    bank: Arc<dyn Bank>,
    starts: u64,
}

impl Life {
    pub(super) async fn begin(store: Arc<dyn Store>, clock: Clock, scenario: Scenario) -> Self {
        let gateway = scenario.gateway();
        let watched = WatchedGateway::on(Arc::new(gateway.clone()), store.clone());
        let shop = Shop::on_shared(store.clone(), clock.clone(), gateway.clone(), 1);
        let prepared = scenario.prepare(&shop).await;
        let bank = Arc::new(FakeBank::at(gateway.clone()));
        Self { store, clock, gateway, watched, scenario, prepared, bank, starts: 1 }
    }

    /// A shop that was prepared before, perhaps by another process, on a gateway and a bank that may be far
    /// away.
    pub(super) fn resumed(
        store: Arc<dyn Store>,
        clock: Clock,
        gateway: Arc<dyn PaymentGateway>,
        bank: Arc<dyn Bank>,
        scenario: Scenario,
        prepared: Prepared,
        starts: u64,
    ) -> Self {
        let watched = WatchedGateway::on(gateway, store.clone());
        let gateway = scenario.gateway();
        Self { store, clock, gateway, watched, scenario, prepared, bank, starts }
    }

    /// Whose books are compared with the shop's.
    pub(super) fn keeping_books_of(mut self, gateway: Gateway) -> Self {
        self.gateway = gateway;
        self
    }

    /// Acts as this script lets it; tells how many calls it made, or that it died.
    pub(super) async fn act_until(&mut self, script: Script) -> Option<u64> {
        let (shop, faults) = self.process(script);
        until_it_dies(&faults, self.scenario.act(&shop, &self.prepared, &*self.bank)).await?;
        Some(faults.calls())
    }

    /// Recovers as this script lets it; tells how many calls it made and when all was over, or that it died.
    pub(super) async fn recover_until(
        &mut self,
        script: Script,
        recovery: Recovery,
    ) -> Option<(u64, Timestamp)> {
        let (shop, faults) = self.process(script);
        let ended = until_it_dies(&faults, self.recover(&shop, recovery)).await?;
        Some((faults.calls(), ended))
    }

    /// What was asked of the gateway and must not have been.
    pub(super) fn breaches(&self) -> Vec<Breach> {
        self.watched.take_breaches()
    }

    /// A new process on the store and the gateway, with nothing cached.
    fn process(&mut self, script: Script) -> (Shop, Faults) {
        self.starts = self.starts.saturating_add(1);
        let faults = Faults::scripted(script);
        let platform = Platform {
            clock: Arc::new(self.clock.clone()),
            sleeper: Arc::new(Sleeper::jumping(self.clock.clone())),
            ids: Arc::new(Ids::seeded(self.starts)),
        };
        let store: Faulty<dyn Store> = Faulty::on(self.store.clone(), faults.clone());
        let gateway: Faulty<dyn PaymentGateway> = Faulty::on(Arc::new(self.watched.clone()), faults.clone());
        let commerce = Commerce::new(store, platform).with_payment_gateway(gateway);
        (Shop { commerce, clock: self.clock.clone(), gateway: self.gateway.clone() }, faults)
    }

    /// How many calls the scenario makes where nobody dies.
    pub(super) async fn undisturbed(mut self) -> u64 {
        let (shop, faults) = self.process(Script::default());
        self.scenario.act(&shop, &self.prepared, &*self.bank).await;
        faults.calls()
    }

    /// How many calls the process makes that takes over behind a death.
    pub(super) async fn calls_of_recovery(mut self, first: KillPoint, recovery: Recovery) -> u64 {
        let (shop, faults) = self.process(first.script());
        until_it_dies(&faults, self.scenario.act(&shop, &self.prepared, &*self.bank)).await;
        let (shop, faults) = self.process(Script::default());
        self.recover(&shop, recovery).await;
        faults.calls()
    }

    /// Dies at one point after the other, then lives.
    pub(super) async fn run(mut self, points: &[KillPoint], recovery: Recovery) -> Outcome {
        let mut outcome = Outcome::default();
        for (number, point) in points.iter().enumerate() {
            let (shop, faults) = self.process(point.script());
            let survived = if number == 0 {
                until_it_dies(&faults, self.scenario.act(&shop, &self.prepared, &*self.bank)).await
            } else {
                until_it_dies(&faults, self.recover(&shop, recovery)).await.map(drop)
            };
            // Behind the last answer nothing is left to be cut short.
            let dies = survived.is_none() || faults.calls() < point.call;
            outcome.deaths = outcome.deaths.saturating_add(usize::from(dies));
        }
        let restarted = self.clock.now();
        let (shop, _) = self.process(Script::default());
        let ended = self.recover(&shop, recovery).await;
        if self.scenario.ends_by_itself() {
            let micros = ended.as_micros().saturating_sub(restarted.as_micros());
            outcome.took = std::time::Duration::from_micros(u64::try_from(micros).unwrap_or(0));
        }
        self.look_at(&mut outcome.faults, "behind the recovery", false).await;
        // The browser asks again in any case: it has had no answer.
        let (shop, _) = self.process(Script::default());
        self.scenario.act(&shop, &self.prepared, &*self.bank).await;
        shop.settle().await.unwrap_or_default();
        self.look_at(&mut outcome.faults, "in the end", true).await;
        outcome
    }

    /// Goes on behind a death; tells when no checkout was under way any more.
    async fn recover(&self, shop: &Shop, recovery: Recovery) -> Timestamp {
        if recovery == Recovery::Browser {
            self.scenario.act(shop, &self.prepared, &*self.bank).await;
        }
        let mut books = Books::default();
        let mut ended = None;
        for _ in 0..200 {
            let Ok(round) = shop.commerce.run_due().await else { break };
            if ended.is_none() && !self.is_under_way(&mut books).await {
                ended = Some(self.clock.now());
            }
            match shop.soon(round.next) {
                // What was handled may have set timers of which this round does not know yet.
                _ if round.handled > 0 => {}
                Some(next) => self.clock.set(next),
                None if round.failed == 0 => break,
                None => {}
            }
        }
        // A bank tells until it is heard.
        self.scenario.deliver(shop, &*self.bank).await;
        shop.settle().await.unwrap_or_default();
        ended.unwrap_or_else(|| self.clock.now())
    }

    async fn is_under_way(&self, books: &mut Books) -> bool {
        // The findings tell what is wrong with the log.
        drop(books.read(&*self.store).await);
        books.all::<Checkout>().any(|(_, saga)| !saga.status().is_terminal())
    }

    /// Everything that must hold.
    pub(super) async fn look_at(&self, faults: &mut Vec<String>, when: &str, last: bool) {
        let mut books = Books::default();
        let findings = match Findings::read(&mut books, &*self.store, &self.gateway.ledger()).await {
            Ok(findings) => findings,
            Err(error) => {
                faults.push(format!("{when}: {error}"));
                return;
            }
        };
        let breaches = self.watched.take_breaches();
        faults.extend(findings.breaches().iter().chain(&breaches).map(|breach| format!("{when}: {breach}")));
        let parked = |status| matches!(status, Status::ManualIntervention(_));
        if let Some((id, _)) = books.all::<Checkout>().find(|(_, saga)| parked(saga.status())) {
            faults.push(format!("{when}: {id} is parked"));
        }
        if last {
            self.look_at_orders(&books, faults);
        }
    }

    /// One order at most, as the scenario allows it, paid once.
    fn look_at_orders(&self, books: &Books, faults: &mut Vec<String>) {
        let orders: Vec<_> = books.all::<Order>().collect();
        let last = orders.first().map(|(_, order)| order.status());
        if orders.len() > 1 || !self.scenario.allows(last) {
            faults.push(format!("{} orders, the first {last:?}", orders.len()));
        }
        let total = self.prepared.total.minor();
        for (id, order) in orders {
            let lives = order.status() == OrderStatus::Confirmed;
            let due = if lives { self.scenario.kept(total) } else { 0 };
            let ledger = self.gateway.ledger();
            let kept = (ledger.kept(id), ledger.reserved(id));
            if kept != (due, 0) {
                faults.push(format!("{kept:?} of {total} kept and reserved of order {id}, {due} due"));
            }
        }
        if self.bank.untold().is_some() {
            faults.push("the bank's message was never accepted".to_owned());
        }
    }
}
