//! A whole shop in one thread: customers, a bank, staff, a warehouse, timers, and everything that fails.
//!
//! A [`Simulation`] runs seeds. One seed decides everything: who acts when, which task goes on next, what
//! the gateway answers, and what goes wrong at which call of which port; so a seed that fails once fails
//! every time, with the same trace byte for byte. Two processes share one store; where one dies, all of its
//! requests and caches are gone, and a new one starts.
//!
//! Behind every step the [checker](crate::check) reads on in the log. In the end nothing goes wrong any
//! more, messages arrive, time passes until nothing is due, and everything must have ended.
//!
//! Your own gateway goes in with [`Simulation::with_gateway`], your own aggregates with
//! [`Simulation::know`], and whoever gives their commands, or does anything else, as an [`Actor`].

mod actor;
mod bank;
mod basket;
mod context;
mod customer;
mod mood;
mod process;
mod published;
mod run;
mod scheduler;
mod shelf;
mod staff;
mod viewed;
mod warehouse;
mod world;

use std::fmt;
use std::sync::Arc;

use commerce_core::kernel::aggregate::Aggregate;
use commerce_core::port::lease::Lease;
use commerce_core::port::payment::PaymentGateway;
use commerce_core::port::store::Store;
use commerce_core::port::view::ViewStore;

use crate::check::Books;
use crate::fake::{Clock, Gateway};
use crate::faulty::{Fault, Port, Rates};

pub use actor::{Actor, Answer, Class};
pub use context::{Context, Lost, Process};
pub use run::{Failure, Run};
pub use shelf::{Shelf, Sold};

/// What the processes of a shop stand on: fresh, and judging time by the clock that they were made with.
#[derive(Debug, Clone)]
pub struct Ground {
    /// The store. It must answer without waiting for anything outside the thread.
    pub store: Arc<dyn Store>,
    /// Leases, so that one process at a time watches the stock.
    pub lease: Arc<dyn Lease>,
    /// Read models that are filled while the shop is open; without them none are.
    pub views: Option<Arc<dyn ViewStore>>,
}

impl Ground {
    /// A store that is its own keeper of leases.
    pub fn on<S: Store + Lease + Clone>(store: S) -> Self {
        Self { store: Arc::new(store.clone()), lease: Arc::new(store), views: None }
    }

    /// With read models: fresh, and as patient with the thread as the store.
    #[must_use]
    pub fn with_views(mut self, views: impl ViewStore) -> Self {
        self.views = Some(Arc::new(views));
        self
    }
}

type Make<T> = Arc<dyn Fn(u64) -> T + Send + Sync>;
type Wrap = Arc<dyn Fn(Gateway) -> Arc<dyn PaymentGateway> + Send + Sync>;

/// A shop that can be run under any seed.
#[derive(Clone)]
pub struct Simulation {
    ground: Arc<dyn Fn(Clock) -> Ground + Send + Sync>,
    actors: Vec<Make<Box<dyn Actor>>>,
    gateway: Wrap,
    kinds: Vec<fn(&mut Books)>,
    rates: Rates,
    commands: u64,
    traced: bool,
}

impl Simulation {
    /// A shop on stores that are made like this.
    pub fn on(ground: impl Fn(Clock) -> Ground + Send + Sync + 'static) -> Self {
        Self {
            ground: Arc::new(ground),
            actors: Vec::new(),
            gateway: Arc::new(|fake| Arc::new(fake)),
            kinds: Vec::new(),
            rates: usual_rates(),
            commands: 500,
            traced: false,
        }
    }

    /// Somebody else who acts; made anew for every seed.
    #[must_use]
    pub fn with_actor<A: Actor>(mut self, make: impl Fn(u64) -> A + Send + Sync + 'static) -> Self {
        self.actors.push(Arc::new(move |seed| Box::new(make(seed))));
        self
    }

    /// Another gateway, made around the one whose books the checker reads.
    #[must_use]
    pub fn with_gateway(
        mut self,
        wrap: impl Fn(Gateway) -> Arc<dyn PaymentGateway> + Send + Sync + 'static,
    ) -> Self {
        self.gateway = Arc::new(wrap);
        self
    }

    /// The checker folds aggregates of this kind too, and compares their keys, pools and timers.
    #[must_use]
    pub fn know<A: Aggregate>(mut self) -> Self {
        self.kinds.push(Books::know::<A>);
        self
    }

    /// What goes wrong how often.
    #[must_use]
    pub fn with_rates(mut self, rates: Rates) -> Self {
        self.rates = rates;
        self
    }

    /// How many commands are given at least before everybody goes home; 500 unless said otherwise.
    #[must_use]
    pub const fn with_commands(mut self, commands: u64) -> Self {
        self.commands = commands;
        self
    }

    /// Writes a trace; takes about twice as long.
    #[must_use]
    pub const fn traced(mut self) -> Self {
        self.traced = true;
        self
    }
}

/// About one call in thirty goes wrong; processes die less often.
fn usual_rates() -> Rates {
    let deadly = [Fault::DieBefore, Fault::DieAfter];
    let rare = |rates: Rates, port| deadly.iter().fold(rates, |rates, fault| rates.of(port, *fault, 1));
    let rates = Rates::everywhere(5)
        .at(Port::Callback, 25)
        .at(Port::Lease, 15)
        .at(Port::Gateway, 15)
        .at(Port::Carrier, 15)
        .at(Port::Tax, 15)
        .at(Port::Notifier, 15)
        .at(Port::Publisher, 6);
    rare(rates.at(Port::Sleeper, 25), Port::Store)
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation")
            .field("actors", &self.actors.len())
            .field("rates", &self.rates)
            .field("commands", &self.commands)
            .finish_non_exhaustive()
    }
}
