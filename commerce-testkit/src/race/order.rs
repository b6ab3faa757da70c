//! G7: answers, messages, cancelling and time in every order.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use commerce_core::app::checkout::CheckoutRequest;
use commerce_core::app::commerce::Commerce;
use commerce_core::checkout::Checkout;
use commerce_core::checkout::machine::Status;
use commerce_core::orders::{Order, OrderStatus};
use commerce_core::port::payment::ChargeState;
use commerce_core::value::Reason;
use commerce_core::value::actor::Actor;
use commerce_core::value::id::{Id, OrderId};
use uuid::Uuid;

use super::courier::{Call, Courier, Meanwhile, fact, message};
use super::ground::{Ground, broken, node, sweeps};
use super::{Raced, Tally};
use crate::conformance::outcome::{equal, holds, present};
use crate::conformance::{Failure, Fixture};
use crate::fake::{Clock, Gateway};
use crate::shop::Shop;

/// Something that becomes known about a checkout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fact {
    /// The gateway's answer arrives.
    Response,
    /// A message says that the money is reserved.
    Authorised,
    /// A message says that the money was taken.
    Captured,
    /// A message says that the payment failed.
    Failed,
    /// Staff cancels the order.
    Cancel,
    /// The buyer's time is up.
    TimeOut,
    /// The bank takes the money where it had not decided, and a message says where the charge stands.
    Report,
}

/// Those whose orders are enumerated.
const FACTS: [Fact; 6] =
    [Fact::Response, Fact::Authorised, Fact::Captured, Fact::Failed, Fact::Cancel, Fact::TimeOut];

/// Lets something become known; `false` where it is refused for now.
pub(super) async fn happens(
    shop: &Commerce,
    gateway: &Gateway,
    clock: &Clock,
    call: Call,
    what: Fact,
) -> bool {
    let declined = || ChargeState::Declined { code: "bank".into() };
    let told = match what {
        Fact::Response => None,
        Fact::Authorised => Some(ChargeState::Authorized),
        Fact::Captured => Some(ChargeState::Captured),
        Fact::Failed => Some(declined()),
        Fact::Report => {
            let state = |gateway: &Gateway| {
                let ledger = gateway.ledger();
                let account = ledger.accounts().find(|account| account.payment == call.payment);
                account.map(|account| account.state.clone())
            };
            if matches!(state(gateway), Some(ChargeState::RequiresAction { .. } | ChargeState::Processing)) {
                let _ = gateway.decide(call.payment, ChargeState::Captured);
            }
            state(gateway)
        }
        Fact::Cancel => {
            let staff = shop.acting_as(Actor::Admin(Id::derived(Uuid::nil(), b"staff")));
            let Ok(reason) = Reason::new("changed their mind") else { return false };
            return staff.cancel_order(call.order, reason).await.is_ok();
        }
        Fact::TimeOut => {
            clock.advance(Duration::from_secs(1000));
            return sweeps(shop).await.is_ok();
        }
    };
    let Some(state) = told else { return true };
    // The same message again where the same fact is told again.
    let id = format!("{}-{what:?}-{state:?}", call.payment);
    let Some(message) = fact(gateway, call, &state).and_then(|fact| message(gateway, call, fact, &id)) else {
        return true;
    };
    shop.payment_callback(gateway_name(gateway), message.headers, message.body).await.is_ok()
}

fn gateway_name(gateway: &Gateway) -> &'static str {
    commerce_core::port::payment::PaymentGateway::name(gateway)
}

/// Every sequence of facts of up to four, with repeats.
fn sequences() -> Vec<Vec<Fact>> {
    let mut all = vec![Vec::new()];
    let mut from = 0;
    for _ in 0..4 {
        let to = all.len();
        for index in from..to {
            for fact in FACTS {
                let mut longer: Vec<Fact> = all.get(index).cloned().unwrap_or_default();
                longer.push(fact);
                all.push(longer);
            }
        }
        from = to;
    }
    all
}

/// Where the charge stands at the gateway, given what its messages say.
fn truth(facts: &[Fact]) -> ChargeState {
    let declined = ChargeState::Declined { code: "bank".into() };
    let says = [
        (Fact::Captured, ChargeState::Captured),
        (Fact::Authorised, ChargeState::Authorized),
        (Fact::Failed, declined),
    ];
    let found = says.into_iter().find(|(fact, _)| facts.contains(fact));
    found.map_or(ChargeState::Authorized, |(_, state)| state)
}

/// Whether the attempt was given up before anything said that it succeeds: then the order fails, and money
/// that comes later goes back. Otherwise it stands, whatever comes later but a cancellation.
fn too_late(facts: &[Fact]) -> bool {
    let settles = |fact: &&Fact| **fact != Fact::Cancel;
    matches!(facts.iter().find(settles), Some(Fact::Failed | Fact::TimeOut))
}

/// Where an order ended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct End {
    stands: bool,
    kept: i64,
    reserved: i64,
    parked: bool,
}

struct Orders<'f> {
    ground: Ground<'f>,
    courier: Courier,
    other: Commerce,
    cancels: Vec<Call>,
}

impl<'f> Orders<'f> {
    async fn open(fixture: &'f Fixture) -> Result<Self, Failure> {
        let gateway = Gateway::new(crate::fake::Behaviour::Process);
        let clock = present("a clock", fixture.clock())?.clone();
        let courier = Courier::new(gateway.clone(), clock.clone());
        let other = node(fixture, &clock, 2).with_payment_gateway(courier.clone());
        courier.serves(other.clone());
        let ground = Ground::calling(fixture, gateway, courier.clone()).await?;
        ground.lists("MUG", "10.00", 100_000).await?;
        Ok(Self { ground, courier, other, cancels: Vec::new() })
    }

    /// Runs one sequence on an order of its own.
    async fn run(&mut self, number: u64, facts: &[Fact]) -> Result<OrderId, Failure> {
        let cart = self.ground.fills(number, &[("MUG", 1)]).await?;
        let answered = facts.iter().position(|fact| *fact == Fact::Response);
        let (during, behind) = facts.split_at(answered.unwrap_or(0));
        let meanwhile = Meanwhile {
            facts: during.to_vec(),
            truth: Some(truth(facts)),
            answer_lost: answered.is_none(),
            ..Meanwhile::default()
        };
        self.courier.meanwhile(meanwhile);
        let request = CheckoutRequest::new(cart, Shop::euros(1000));
        self.ground.shop.buyer(number).checkout(request).await.map_err(broken)?;
        let call = present("the gateway's call", self.courier.last())?;
        for fact in behind {
            let (gateway, clock) = (&self.courier.gateway, &self.ground.shop.clock);
            happens(&self.other, gateway, clock, call, *fact).await;
        }
        if facts.contains(&Fact::Cancel) {
            self.cancels.push(call);
        }
        Ok(call.order)
    }

    /// Everything ends; then whoever wanted to cancel asks again, and everything ends once more.
    async fn ends(&self) -> Result<BTreeMap<OrderId, End>, Failure> {
        self.ground.settles().await?;
        for call in &self.cancels {
            let (gateway, clock) = (&self.courier.gateway, &self.ground.shop.clock);
            happens(&self.other, gateway, clock, *call, Fact::Cancel).await;
        }
        self.ground.settles().await?;
        let books = self.ground.books().await?;
        let ledger = self.courier.gateway.ledger();
        let mut sagas = BTreeMap::new();
        for (id, saga) in books.all::<Checkout>() {
            let status = saga.status();
            holds(
                &format!("{id} has ended or waits for somebody: {status:?}"),
                status.is_terminal() || matches!(status, Status::ManualIntervention(_)),
            )?;
            sagas.insert(commerce_core::checkout::order_of(id), status);
        }
        let mut ends = BTreeMap::new();
        for (id, order) in books.all::<Order>() {
            let stands = matches!(order.status(), OrderStatus::Confirmed | OrderStatus::Completed);
            let parked = order.is_blocked() || matches!(sagas.get(&id), Some(Status::ManualIntervention(_)));
            let (kept, reserved) = (ledger.kept(id), ledger.reserved(id));
            ends.insert(id, End { stands, kept, reserved, parked });
        }
        Ok(ends)
    }
}

pub(super) async fn g7_every_order_of_what_becomes_known(f: &Fixture) -> Raced {
    let mut orders = Orders::open(f).await?;
    let mut runs = Vec::new();
    for (facts, number) in sequences().into_iter().zip(0..) {
        let order = orders.run(number, &facts).await?;
        runs.push((facts, order));
    }
    let ends = orders.ends().await?;
    let mut tally = Tally::default();
    let mut groups: BTreeMap<(BTreeSet<Fact>, bool), BTreeMap<End, Vec<Fact>>> = BTreeMap::new();
    let mut standing = 0;
    for (facts, order) in runs {
        let end = present("where an order ended", ends.get(&order))?;
        let whole = if end.stands { (1000, 0) } else { (0, 0) };
        holds(
            &format!("the money of an order fits it, or somebody is told: {facts:?} ends at {end:?}"),
            end.parked || (end.kept, end.reserved) == whole,
        )?;
        standing += i64::from(end.stands);
        tally.add("sequences", 1);
        tally.add("parked", u64::from(end.parked));
        let group = (facts.iter().copied().collect(), too_late(&facts));
        groups.entry(group).or_default().entry(end.clone()).or_insert(facts);
    }
    for ((set, late), ends) in &groups {
        let late = if *late { ", the money too late," } else { "" };
        let quiet = ends.keys().filter(|end| !end.parked).count();
        holds(&format!("{set:?}{late} ends the same in every order, or parked: {ends:?}"), quiet <= 1)?;
    }
    let sets: BTreeSet<_> = groups.keys().map(|(set, _)| set).collect();
    tally.add("sets of facts", sets.len());
    tally.add("of them with another end where the money comes too late", groups.len() - sets.len());
    let level = orders.ground.level("MUG").await?;
    let figures = (level.available, level.held, level.allocated);
    equal("the stock", figures, (100_000 - standing, 0, standing))?;
    Ok(tally)
}
