//! One seed from the first customer to the last message.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use commerce_core::app::shopfront::Listing;
use commerce_core::inventory::{StockCommand, stock_item_id};
use commerce_core::port::clock::Clock as _;
use commerce_core::port::payment::{CallbackRequest, PaymentGateway};
use commerce_core::port::store::Store;
use commerce_core::settings::{CapturePolicy, SettingsValues};
use commerce_core::shipping::{RateRule, ShippingMethod};
use commerce_core::value::{Code, Currency, Label, Money, Name, Price, Quantity, Sku};

use super::actor::Actor;
use super::bank::{Bank, Post};
use super::context::{Context, Process};
use super::customer::Customer;
use super::process::{background, start};
use super::published::everything_arrived;
use super::scheduler::Scheduler;
use super::shelf::{CODES, GOODS};
use super::staff::Clerk;
use super::viewed::views_say_what_the_log_says;
use super::warehouse::Warehouse;
use super::world::{POST, Spawned, World};
use super::{Ground, Simulation, mood};
use crate::check::{Books, Breach, Findings, Rule, WatchedGateway};
use crate::conformance::block_on;
use crate::dice::Dice;
use crate::fake::{Broker, Clock, Gateway, Sleeper};
use crate::faulty::{Faults, Faulty, Tally};
use crate::shop::Shop;

/// How many processes the shop has.
const PROCESSES: usize = 2;
/// How many customers.
const CUSTOMERS: u64 = 8;
/// The most steps of a run: whoever does not go home by then never will.
const STEPS: u64 = 2_000_000;
/// How many shorter prefixes are tried one by one where halving has ended.
const NEAR: u64 = 16;

/// What must not be, and when it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Behind how many steps; a run of so many steps shows it.
    pub step: u64,
    /// What was seen.
    pub breaches: Vec<Breach>,
}

/// What came of a seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The seed.
    pub seed: u64,
    /// How often a task went on.
    pub steps: u64,
    /// How many commands were given.
    pub commands: u64,
    /// How often a process died.
    pub deaths: u64,
    /// How many events there are in the log.
    pub events: u64,
    /// What went wrong.
    pub tally: Tally,
    /// What must not be, if anything.
    pub failure: Option<Failure>,
    /// Every call and answer, where the simulation is traced.
    pub trace: Vec<String>,
    /// The checker's lines in the end.
    pub findings: Vec<String>,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, steps, commands, deaths, events, .. } = self;
        let faults = self.tally.total();
        write!(
            f,
            "seed {seed}: {steps} steps, {commands} commands, {faults} faults, {deaths} deaths, {events} events"
        )?;
        if let Some(failure) = &self.failure {
            write!(f, "\nFAILS at step {}:", failure.step)?;
            for breach in &failure.breaches {
                write!(f, "\n  {breach}")?;
            }
        }
        Ok(())
    }
}

/// A run that is under way.
struct Runner {
    world: Arc<World>,
    ground: Ground,
    gateway: Arc<dyn PaymentGateway>,
    watched: WatchedGateway,
    faults: Faults,
    books: Books,
    scheduler: Scheduler,
    dice: Dice,
    nodes: Vec<Process>,
    post: Post,
    step: Arc<AtomicU64>,
    starts: u64,
    deaths: u64,
}

impl Simulation {
    /// Runs a seed to its end.
    pub fn run(&self, seed: u64) -> Run {
        self.run_prefix(seed, STEPS)
    }

    /// Runs a seed for so many steps; then everybody goes home at once, and the end is as usual.
    pub fn run_prefix(&self, seed: u64, steps: u64) -> Run {
        block_on(async {
            let mut runner = Runner::open(self, seed).await;
            let failure = runner.days(steps).await;
            let (failure, findings) = match failure {
                Some(failure) => (Some(failure), Vec::new()),
                None => runner.evening().await,
            };
            Run {
                seed,
                steps: runner.steps(),
                commands: runner.world.commands(),
                deaths: runner.deaths,
                events: runner.books.events(),
                tally: runner.faults.tally(),
                failure,
                trace: runner.world.take_trace(),
                findings,
            }
        })
    }

    /// The shortest prefix of a seed that fails.
    ///
    /// What shows while the shop is open shows in every longer prefix too, because they begin with the same
    /// steps; for that, halving is exact. What shows only in the evening may come and go with the length:
    /// so the sixteen next shorter prefixes are run as well, and halving goes on from one that fails. The
    /// prefix that is one step shorter than the answer always passes.
    pub fn shortest(&self, seed: u64) -> Option<Run> {
        let mut failing = self.run(seed);
        failing.failure.as_ref()?;
        loop {
            failing = self.halved(failing);
            let Some(shorter) = self.next_shorter(&failing) else { return Some(failing) };
            failing = shorter;
        }
    }

    /// Halves until a prefix fails and the one that is a step shorter passes.
    fn halved(&self, mut failing: Run) -> Run {
        let (mut passes, mut fails) = (0_u64, failing.fails_at());
        while passes.saturating_add(1) < fails {
            let middle = passes.midpoint(fails);
            let run = self.run_prefix(failing.seed, middle);
            if run.failure.is_some() {
                fails = run.fails_at().min(middle);
                failing = run;
            } else {
                passes = middle;
            }
        }
        failing
    }

    /// A failing prefix among those that are a little shorter.
    fn next_shorter(&self, failing: &Run) -> Option<Run> {
        let fails = failing.fails_at();
        let shorter = (fails.saturating_sub(NEAR)..fails).rev().filter(|steps| *steps > 0);
        shorter.map(|steps| self.run_prefix(failing.seed, steps)).find(|run| run.failure.is_some())
    }
}

impl Run {
    /// The length of a prefix that fails as this run did.
    fn fails_at(&self) -> u64 {
        self.failure.as_ref().map_or(self.steps, |failure| failure.step)
    }
}

impl Runner {
    async fn open(simulation: &Simulation, seed: u64) -> Self {
        let mut dice = Dice::seeded(seed);
        let clock = Clock::default();
        let ground = (simulation.ground)(clock.clone());
        let fake = Gateway::approving();
        let around = (simulation.gateway)(fake.clone());
        let gateways = (fake.clone(), around.name());
        let mut world =
            World::new(clock.clone(), gateways, dice.fork(), simulation.commands, simulation.traced);
        world.broker = seed.is_multiple_of(4).then(Broker::default);
        let world = Arc::new(world);
        let watched = WatchedGateway::on(around, ground.store.clone()).among_others();
        set_up(&world, &ground, &watched, &mut dice).await;
        fake.moody(dice.fork(), mood::authorisations(), mood::operations());
        let step = Arc::new(AtomicU64::new(0));
        let faults = Faults::seeded(dice.throw(), simulation.rates.clone()).interleaved();
        let faults = faults
            .with_time(Arc::new(clock.clone()), Arc::new(Sleeper::waiting(clock)))
            .watched(tracer(&world, &step));
        let mut books = Books::default();
        for know in &simulation.kinds {
            know(&mut books);
        }
        let gateway: Arc<dyn PaymentGateway> = Arc::new(watched.clone());
        let scheduler = Scheduler::default();
        let (nodes, post, starts, deaths) = (Vec::new(), Post::default(), 100, 0);
        let mut runner = Self {
            world,
            ground,
            gateway,
            watched,
            faults,
            books,
            scheduler,
            dice,
            nodes,
            post,
            step,
            starts,
            deaths,
        };
        for node in 0..PROCESSES {
            runner.start(node);
        }
        runner.let_in(simulation, seed);
        runner
    }

    fn let_in(&mut self, simulation: &Simulation, seed: u64) {
        let mut actors: Vec<Box<dyn Actor>> =
            vec![Box::new(Bank { post: self.post.clone() }), Box::new(Clerk), Box::new(Warehouse::default())];
        actors.extend((1..=CUSTOMERS).map(|number| Box::new(Customer { number }) as Box<dyn Actor>));
        actors.extend(simulation.actors.iter().map(|make| make(seed)));
        for actor in actors {
            let name = actor.name();
            let context = Context::new(self.world.clone(), &name);
            self.world.spawn(None, name.into(), actor.live(context));
        }
    }

    /// A process starts in its place.
    fn start(&mut self, node: usize) {
        self.starts = self.starts.saturating_add(1);
        let process = start(&self.world, &self.ground, &self.gateway, &self.faults, self.starts);
        self.world.install(node, process.clone());
        let work = background(&self.world, &process, &self.ground).into_iter();
        let tasks = work.map(|(name, work)| Spawned { node: Some(node), name: name.into(), work });
        self.scheduler.take_up(tasks.collect(), true);
        match self.nodes.get_mut(node) {
            Some(place) => *place = process,
            None => self.nodes.push(process),
        }
    }

    fn steps(&self) -> u64 {
        self.step.load(Ordering::Relaxed)
    }

    /// Everybody acts until they go home.
    async fn days(&mut self, steps: u64) -> Option<Failure> {
        loop {
            self.scheduler.take_up(self.world.take_spawned(), false);
            if self.scheduler.is_done() || self.steps() >= steps {
                return None;
            }
            let Some(place) = self.scheduler.choose(&mut self.dice) else {
                // Everybody waits: time passes until the first of them is woken.
                let next = self.world.clock.next_wake()?;
                self.world.clock.set(next);
                continue;
            };
            self.step.fetch_add(1, Ordering::Relaxed);
            if let Some(name) = self.scheduler.name(place) {
                self.world.write(|| format!("step {} {name}", self.steps()));
            }
            self.scheduler.poll(place);
            self.world.clock.advance(Duration::from_micros(self.dice.below(400)));
            self.bury();
            if let Some(failure) = self.look().await {
                return Some(failure);
            }
        }
    }

    /// Starts new processes for those that died.
    fn bury(&mut self) {
        for node in 0..self.nodes.len() {
            if self.nodes.get(node).is_some_and(|process| process.faults.is_dead()) {
                self.world.write(|| format!("process {node} dies"));
                self.deaths = self.deaths.saturating_add(1);
                self.scheduler.kill(node);
                self.start(node);
            }
        }
    }

    /// What holds behind every step.
    async fn look(&mut self) -> Option<Failure> {
        let mut breaches = match self.books.read(&*self.ground.store).await {
            Ok(breaches) => breaches,
            Err(error) => vec![Breach::new(Rule::Outbox, error.to_string())],
        };
        breaches.extend(self.watched.take_breaches());
        breaches.extend(self.world.take_breaches());
        (!breaches.is_empty()).then(|| Failure { step: self.steps(), breaches })
    }

    /// What the tables say while much is under way.
    async fn tables(&mut self) -> Option<Failure> {
        if let Some(failure) = self.look().await {
            return Some(failure);
        }
        let breaches = match Findings::at_noon(&self.books, &*self.ground.store).await {
            Ok(breaches) => breaches,
            Err(error) => vec![Breach::new(Rule::Outbox, error.to_string())],
        };
        (!breaches.is_empty()).then(|| Failure { step: self.steps(), breaches })
    }

    /// Nothing goes wrong any more: what is under way arrives, and time passes until nothing is due.
    async fn evening(&mut self) -> (Option<Failure>, Vec<String>) {
        self.world.close();
        self.faults.stop();
        self.world.gateway.calm_down();
        self.scheduler = Scheduler::default();
        let store: Faulty<dyn Store> = Faulty::on(self.ground.store.clone(), self.faults.clone());
        store.arrive_late().await;
        if let Some(failure) = self.tables().await {
            return (Some(failure), Vec::new());
        }
        let shop = Shop::on_gateway(
            self.ground.store.clone(),
            self.world.clock.clone(),
            self.world.gateway.clone(),
            (self.gateway.clone(), 7),
        );
        for _ in 0..2 {
            shop.settle().await.unwrap_or_default();
            for CallbackRequest { headers, body } in self.post.left() {
                // What fits no payment any more is on the pile for people.
                let _refused = shop.commerce.payment_callback(self.gateway.name(), headers, body).await;
            }
        }
        shop.settle().await.unwrap_or_default();
        if let Some(failure) = self.look().await {
            return (Some(failure), Vec::new());
        }
        if let Some(breach) = self.endless() {
            return (Some(Failure { step: self.steps(), breaches: vec![breach] }), Vec::new());
        }
        if let Some(broker) = &self.world.broker
            && let Err(breach) = everything_arrived(&shop, broker).await
        {
            return (Some(Failure { step: self.steps(), breaches: vec![breach] }), Vec::new());
        }
        if let Some(views) = &self.ground.views
            && let Err(breach) = views_say_what_the_log_says(&shop, views).await
        {
            return (Some(Failure { step: self.steps(), breaches: vec![breach] }), Vec::new());
        }
        let ledger = self.world.gateway.ledger();
        match Findings::read(&mut self.books, &*self.ground.store, &ledger).await {
            Ok(findings) => {
                let breaches = findings.breaches().to_vec();
                let failure = (!breaches.is_empty()).then(|| Failure { step: self.steps(), breaches });
                (failure, findings.lines().collect())
            }
            Err(error) => {
                let breaches = vec![Breach::new(Rule::Outbox, error.to_string())];
                (Some(Failure { step: self.steps(), breaches }), Vec::new())
            }
        }
    }
}

impl Runner {
    /// A timer that was handled for days and is still there: nothing ends it.
    fn endless(&self) -> Option<Breach> {
        let now = self.world.clock.now();
        // What is to be sent to people is sent by somebody else.
        let ours = ["checkout", "payment", "reservation", "redemption"];
        let mut timers = self.books.timers().filter(|(key, _)| ours.contains(&key.stream.kind.as_ref()));
        // One that events set anew, as that of a payment which nobody decides, may be due again just now.
        let long_ago = now.minus(Duration::from_secs(2 * 3600));
        let (key, due) = timers.find(|(_, due)| *due <= long_ago)?;
        Some(Breach::new(Rule::Sagas, format!("{key} was due at {due}, and nothing has ended it")))
    }
}

/// Writes every call and what goes wrong with it.
fn tracer(
    world: &Arc<World>,
    step: &Arc<AtomicU64>,
) -> impl Fn(&crate::faulty::Call, Option<crate::faulty::Fault>) + Send + Sync + 'static {
    let (world, step) = (Arc::downgrade(world), step.clone());
    move |call, fault| {
        let Some(world) = world.upgrade() else { return };
        if call.number.is_none() && fault.is_none() {
            return;
        }
        world.write(|| {
            let (step, fault) = (step.load(Ordering::Relaxed), fault.map_or("", |fault| fault.name()));
            format!("  {step} {}.{} #{} {fault}", call.port, call.operation, call.nth)
        });
    }
}

/// Goods, codes and settings, before anything can go wrong.
async fn set_up(world: &World, ground: &Ground, gateway: &WatchedGateway, dice: &mut Dice) {
    let shop = Shop::on_gateway(
        ground.store.clone(),
        world.clock.clone(),
        world.gateway.clone(),
        (Arc::new(gateway.clone()), 1),
    );
    let policies = [CapturePolicy::AtConfirm, CapturePolicy::OnShip, CapturePolicy::WithAuthorization];
    let capture = dice.pick(&policies).copied().unwrap_or_default();
    shop.settings(|values| {
        values.capture = capture;
        values.shipping = post().into_iter().collect();
    })
    .await;
    for (sku, price, units) in GOODS {
        let parsed =
            (Sku::new(sku), Name::new(sku), Price::parse(price, Currency::EUR), Quantity::new(units));
        let (Ok(code), Ok(name), Ok(price), Ok(units)) = parsed else { continue };
        let listing = Listing::new(code.clone(), name, price).with_stock(units);
        if let Ok(product) = shop.staff().list(listing).await {
            world.shelf.put(sku, product);
        }
        for location in SettingsValues::default().locations {
            let threshold = StockCommand::SetThreshold { threshold: Some(3) };
            let item = stock_item_id(&code, location);
            // Without it there are no alerts, and nothing else is missing.
            let _set = shop.staff().execute(item, threshold).await;
        }
    }
    for (code, percent, uses) in CODES {
        shop.coupon(code, percent, uses).await;
    }
}

/// The shop's own way of sending, for which no carrier is asked.
fn post() -> Option<ShippingMethod> {
    let (code, label) = (Code::new(POST).ok()?, Label::new(POST).ok()?);
    let rate = RateRule::Flat(Money::zero(Currency::EUR));
    Some(ShippingMethod { code, label, rate, days: None, countries: Vec::new() })
}
