//! Given what has happened in a checkout, when somebody says something, then these events.

use std::fmt::Write as _;
use std::time::Duration;

use commerce_core::checkout::machine::Status;
use commerce_core::checkout::party::{Party, tell};
use commerce_core::checkout::steps::{Awaits, advance};
use commerce_core::checkout::{Checkout, CheckoutError, order_of, payment_of, reservation_of};
use commerce_core::kernel::aggregate::{Aggregate, Instance, stream_of};
use commerce_core::kernel::batch::Batch;
use commerce_core::kernel::codec::decode;
use commerce_core::kernel::commit::Commit;
use commerce_core::kernel::event::{Metadata, RecordedEvent};
use commerce_core::orders::OrderCommand;
use commerce_core::payments::PaymentCommand;
use commerce_core::promotions::redemption_id;
use commerce_core::settings::SettingsValues;
use commerce_core::value::actor::Actor;
use commerce_core::value::id::CheckoutId;
use commerce_core::value::time::Timestamp;
use uuid::Uuid;

use super::SideBySide;
use crate::fake::{Ids, START};

/// Starts a scenario from what a checkout and its aggregates have stored, for example everything that a
/// shop in memory has in its log. Events of others are passed over.
///
/// # Panics
///
/// Where the events do not fold, or there is no such checkout among them.
///
/// # Examples
///
/// ```
/// # use std::sync::Arc;
/// # use commerce_adapters_memory::MemoryStore;
/// # use commerce_core::checkout::machine::{Status, Step};
/// # use commerce_core::kernel::stream::Position;
/// # use commerce_core::payments::PaymentCommand;
/// # use commerce_core::port::payment::{GatewayFact, GatewayRef};
/// # use commerce_core::port::store::{LogQuery, Store};
/// # use commerce_testkit::fake::{Behaviour, Clock, Gateway, START};
/// # use commerce_testkit::shop::Shop;
/// use commerce_testkit::scenario::given_checkout;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> { pollster::block_on(async {
/// # let clock = Clock::default();
/// # let store = MemoryStore::with_clock(Arc::new(clock.clone()));
/// # let shop = Shop::on(store.clone(), clock, Gateway::new(Behaviour::Process));
/// # shop.list("MUG", "12.50", 5).await?;
/// # let cart = shop.cart(1, &[("MUG", 1)]).await?;
/// let receipt = shop.buy(1, cart).await?; // the gateway works on it
/// let log = store.read_all(LogQuery::after(Position::START, 1000)).await?.events;
///
/// let (charge, fact) = (GatewayRef("charge-1".into()), GatewayFact::Declined { code: "no-funds".into() });
/// given_checkout(receipt.checkout, &log)
///     .when_payment(PaymentCommand::Record { charge, fact, resolve_at: START })
///     .then_names(&[
///         "payment PaymentFailed",
///         "payment PaymentVoided",
///         "order OrderPaymentNoted",
///         "order OrderFailed",
///         "reservation InventoryReleased",
///         "cart CartCheckoutFailed",
///         "checkout CheckoutCompensationStarted",
///         "checkout CheckoutStepsUndone",
///         "checkout CheckoutCompensated",
///     ])
///     .then_status(Status::Compensated);
/// # Ok(()) }) }
/// ```
#[track_caller]
pub fn given_checkout<'e, E>(checkout: CheckoutId, events: E) -> GivenCheckout
where
    E: IntoIterator<Item = &'e std::sync::Arc<RecordedEvent>>,
{
    let events: Vec<&RecordedEvent> = events.into_iter().map(AsRef::as_ref).collect();
    let saga: Instance<Checkout> = folded(Instance::absent(checkout), &events);
    let Some(plan) = saga.state.as_ref().map(|saga| saga.plan().clone()) else {
        panic!("there is no checkout {checkout} among the {} given events", events.len());
    };
    let uses = plan.redemptions.iter().map(|promotion| redemption_id(checkout, *promotion));
    let party = Party {
        cart: folded(Instance::absent(plan.cart), &events),
        order: folded(Instance::absent(order_of(checkout)), &events),
        reservation: folded(Instance::absent(reservation_of(checkout)), &events),
        payment: folded(Instance::absent(payment_of(checkout)), &events),
        redemptions: uses.map(|id| folded(Instance::absent(id), &events)).collect(),
        settings: SettingsValues::default().into(),
        saga,
    };
    let now = events.iter().map(|event| event.event.at).max().unwrap_or(START);
    GivenCheckout { party, now, settings: SettingsValues::default() }
}

#[track_caller]
fn folded<A: Aggregate>(mut instance: Instance<A>, events: &[&RecordedEvent]) -> Instance<A> {
    let stream = stream_of::<A>(instance.id);
    for recorded in events.iter().filter(|recorded| recorded.stream == stream) {
        let event: A::Event = decode(&recorded.event).unwrap_or_else(|error| panic!("{error}"));
        let next = A::evolve(instance.state.take(), &event).unwrap_or_else(|error| panic!("{error}"));
        instance.state = Some(next);
        instance.version = recorded.version;
    }
    instance
}

/// A checkout as far as it has come.
#[derive(Debug)]
pub struct GivenCheckout {
    party: Party,
    now: Timestamp,
    settings: SettingsValues,
}

impl GivenCheckout {
    /// Under these settings of the shop.
    #[must_use]
    pub fn under(mut self, settings: SettingsValues) -> Self {
        self.party.settings = settings.clone().into();
        self.settings = settings;
        self
    }

    /// When something becomes known about its payment.
    #[must_use = "say what should come of it"]
    pub fn when_payment(self, command: PaymentCommand) -> WentOn {
        let asked = format!("{command:?}");
        self.goes_on(asked, |batch, party| tell(batch, &mut party.payment, command))
    }

    /// When something is asked of its order.
    #[must_use = "say what should come of it"]
    pub fn when_order(self, command: OrderCommand) -> WentOn {
        let asked = format!("{command:?}");
        self.goes_on(asked, |batch, party| tell(batch, &mut party.order, command))
    }

    /// When time passes.
    #[must_use = "say what should come of it"]
    pub fn when_time_passes(mut self, span: Duration) -> WentOn {
        self.now = self.now.plus(span);
        self.goes_on(format!("{span:?} pass"), |_, _| Ok(()))
    }

    fn goes_on(
        self,
        asked: String,
        first: impl FnOnce(&mut Batch<'_>, &mut Party) -> Result<(), CheckoutError>,
    ) -> WentOn {
        let Self { mut party, now, settings } = self;
        let metadata = Metadata { correlation: Uuid::nil(), causation: None, actor: Actor::System };
        let ids = Ids::default();
        let mut batch = Batch::new(&ids, now, metadata);
        let result = first(&mut batch, &mut party).and_then(|()| advance(&mut batch, &mut party, &settings));
        WentOn { asked, result, commit: batch.into_commit(), given: Self { party, now, settings } }
    }
}

/// What came of it, in one commit.
#[derive(Debug)]
pub struct WentOn {
    asked: String,
    result: Result<Awaits, CheckoutError>,
    commit: Commit,
    given: GivenCheckout,
}

impl WentOn {
    /// These events, by kind of stream and name, in the order of the commit.
    ///
    /// # Panics
    ///
    /// Where anything else came of it.
    #[track_caller]
    pub fn then_names(self, expected: &[&str]) -> Self {
        let mut names = Vec::new();
        for append in &self.commit.append {
            names.extend(append.events.iter().map(|event| format!("{} {}", append.stream.kind, event.name)));
        }
        if self.result.is_err() || names != expected {
            self.fail(&lines(expected), &lines(&names));
        }
        self
    }

    /// Nothing at all.
    ///
    /// # Panics
    ///
    /// Where anything came of it.
    #[track_caller]
    pub fn then_nothing(self) -> Self {
        self.then_names(&[])
    }

    /// The saga stands here behind it.
    ///
    /// # Panics
    ///
    /// Where it stands elsewhere.
    #[track_caller]
    pub fn then_status(self, expected: Status) -> Self {
        let actual = self.given.party.saga.state.as_ref().map(Checkout::status);
        if self.result.is_err() || actual != Some(expected) {
            self.fail(
                &format!("{expected:?}"),
                &actual.map_or("no checkout".to_owned(), |at| format!("{at:?}")),
            );
        }
        self
    }

    /// It waits for this.
    ///
    /// # Panics
    ///
    /// Where it waits for something else.
    #[track_caller]
    #[allow(clippy::needless_pass_by_value)] // so that scenarios read without `&`
    pub fn then_awaits(self, expected: Awaits) -> Self {
        if self.result.as_ref().ok() != Some(&expected) {
            let actual = self.result.as_ref().map_or_else(|_| String::new(), |awaits| format!("{awaits:?}"));
            self.fail(&format!("{expected:?}"), &actual);
        }
        self
    }

    /// Goes on from here.
    pub fn and(self) -> GivenCheckout {
        self.given
    }

    #[track_caller]
    fn fail(&self, expected: &str, actual: &str) -> ! {
        let actual = match &self.result {
            Ok(_) => actual.to_owned(),
            Err(error) => format!("refused: {error}\n{error:#?}"),
        };
        panic!("when {}\n{}", self.asked, SideBySide(expected, &actual));
    }
}

fn lines<T: AsRef<str>>(names: &[T]) -> String {
    let mut text = String::new();
    for name in names {
        let _ = writeln!(text, "{}", name.as_ref());
    }
    if text.is_empty() { "no events".to_owned() } else { text }
}
