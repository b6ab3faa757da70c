//! The checkout under everything that can happen to it: gateways that decline, redirect, forget and lose;
//! callbacks in any order and number; processes that die around every commit and call; time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a failing step is a failing test

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use commerce_adapters_memory::MemoryStore;
use commerce_core::app::checkout::CheckoutRequest;
use commerce_core::app::commerce::{Commerce, Platform};
use commerce_core::carts::{Cart, Status as CartStatus};
use commerce_core::checkout::machine::{STEPS, Status, Step};
use commerce_core::checkout::{Checkout, CheckoutCommand, CheckoutEvent, order_of, payment_of};
use commerce_core::inventory::stock_pool;
use commerce_core::orders::{Order, OrderStatus};
use commerce_core::payments::ledger::RefundStatus;
use commerce_core::payments::{Payment, PaymentCommand};
use commerce_core::port::payment::{CallbackRequest, ChargeState, PaymentGateway};
use commerce_core::port::store::Store;
use commerce_core::promotions::uses_pool;
use commerce_core::settings::SettingsValues;
use commerce_core::value::id::{CartId, CheckoutId};
use commerce_core::value::{Reason, Sku};
use commerce_testkit::check::WatchedGateway;
use commerce_testkit::fake::{Behaviour, Clock, Gateway, Ids, Sleeper};
use commerce_testkit::faulty::{Fault, Faults, Faulty, Port, Script, until_it_dies};
use commerce_testkit::shop::Shop;
use commerce_tests::audit::Audit;
use commerce_tests::cases;
use commerce_tests::shopping::Coupon;
use pollster::block_on;
use proptest::prelude::*;

const STOCK: i64 = 4;
const BUYERS: u64 = 3;
const COUPON: Coupon = Coupon { uses: Some(2), ..Coupon::new("TENTH") };

/// Where a process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Death {
    /// In front of the next commit but this many.
    BeforeCommit(u8),
    /// Behind the next commit but this many.
    AfterCommit(u8),
    /// In front of the gateway's next call.
    BeforeCall,
    /// Behind the gateway's next call.
    AfterCall,
}

impl Death {
    fn script(self) -> Script {
        let commit =
            |left: u8, fault| Script::default().nth(Port::Store, "commit", u64::from(left) + 1, fault);
        let call = |fault| {
            let calls = ["authorize", "capture", "void", "refund"].into_iter();
            calls.fold(Script::default(), |script, call| script.nth(Port::Gateway, call, 1, fault))
        };
        match self {
            Self::BeforeCommit(left) => commit(left, Fault::DieBefore),
            Self::AfterCommit(left) => commit(left, Fault::DieAfter),
            Self::BeforeCall => call(Fault::DieBefore),
            Self::AfterCall => call(Fault::DieAfter),
        }
    }
}

/// Something that happens.
#[derive(Debug, Clone)]
enum Happening {
    Buys(u64),
    Behaves(Behaviour),
    Decides { buyer: u64, state: ChargeState },
    Repeats(usize),
    Passes(u64),
    Sweeps,
    Restarts,
    Dies(Death),
}

fn behaviour() -> impl Strategy<Value = Behaviour> {
    prop_oneof![
        3 => Just(Behaviour::Approve),
        2 => Just(Behaviour::Capture),
        2 => Just(Behaviour::Decline("no")),
        2 => Just(Behaviour::Redirect("https://bank.example/3ds")),
        1 => Just(Behaviour::Process),
        2 => Just(Behaviour::LoseAnswer),
        1 => Just(Behaviour::CaptureAndLoseAnswer),
        1 => Just(Behaviour::FailBefore),
        1 => Just(Behaviour::LoseRequest),
    ]
}

fn death() -> impl Strategy<Value = Death> {
    prop_oneof![
        (0..3_u8).prop_map(Death::BeforeCommit),
        (0..3_u8).prop_map(Death::AfterCommit),
        Just(Death::BeforeCall),
        Just(Death::AfterCall),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    let decided = prop_oneof![
        2 => Just(ChargeState::Captured),
        1 => Just(ChargeState::Authorized),
        1 => Just(ChargeState::Declined { code: "bank".into() }),
    ];
    prop_oneof![
        6 => (0..BUYERS).prop_map(Happening::Buys),
        5 => behaviour().prop_map(Happening::Behaves),
        4 => (0..BUYERS, decided).prop_map(|(buyer, state)| Happening::Decides { buyer, state }),
        2 => (0..8_usize).prop_map(Happening::Repeats),
        3 => prop_oneof![Just(1_u64), Just(26), Just(61), Just(700), Just(1000)].prop_map(Happening::Passes),
        3 => Just(Happening::Sweeps),
        1 => Just(Happening::Restarts),
        2 => death().prop_map(Happening::Dies),
    ]
}

/// A shop whose process dies and comes back.
struct World {
    shop: Shop,
    store: MemoryStore,
    faults: Faults,
    watched: WatchedGateway,
    carts: Vec<(CartId, i64)>,
    messages: Vec<CallbackRequest>,
    undelivered: Vec<CallbackRequest>,
    starts: u64,
}

impl World {
    fn open() -> Self {
        let clock = Clock::default();
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        let gateway = Gateway::approving();
        let faults = Faults::none();
        let watched = WatchedGateway::on(Arc::new(gateway.clone()), Arc::new(store.clone()));
        let shop = Shop::on(store.clone(), clock, gateway);
        let (carts, messages, undelivered) = (Vec::new(), Vec::new(), Vec::new());
        let mut world = Self { shop, store, faults, watched, carts, messages, undelivered, starts: 1 };
        world.restart();
        block_on(async {
            world.shop.list("MUG", "10.00", u32::try_from(STOCK).unwrap()).await.unwrap();
            COUPON.activate(&world.shop).await;
            for buyer in 0..BUYERS {
                let units = if buyer == 0 { 1 } else { 2 };
                let cart = world.shop.cart(buyer, &[("MUG", units)]).await.unwrap();
                COUPON.apply(&world.shop, buyer, cart).await;
                world.carts.push((cart, i64::from(units)));
            }
        });
        world
    }

    /// Another process on the same store.
    fn restart(&mut self) {
        self.starts += 1;
        self.faults = Faults::none();
        let clock = self.shop.clock.clone();
        let platform = Platform {
            clock: Arc::new(clock.clone()),
            sleeper: Arc::new(Sleeper::jumping(clock)),
            ids: Arc::new(Ids::seeded(self.starts)),
        };
        let store: Arc<dyn Store> = Arc::new(self.store.clone());
        let gateway: Arc<dyn PaymentGateway> = Arc::new(self.watched.clone());
        let store: Faulty<dyn Store> = Faulty::on(store, self.faults.clone());
        let gateway: Faulty<dyn PaymentGateway> = Faulty::on(gateway, self.faults.clone());
        self.shop.commerce = Commerce::new(store, platform).with_payment_gateway(gateway);
    }

    fn happens(&mut self, happening: &Happening) {
        let survived = match happening {
            Happening::Buys(buyer) => self.lives(self.buys(*buyer)).is_some(),
            Happening::Behaves(behaviour) => {
                self.shop.gateway.script([behaviour.clone()]);
                true
            }
            Happening::Decides { buyer, state } => {
                let Some(message) = self.decides(*buyer, state) else { return };
                self.messages.push(message.clone());
                let delivered = self.lives(self.delivers(message.clone())).is_some();
                self.undelivered.extend((!delivered).then_some(message));
                delivered
            }
            Happening::Repeats(number) => match self.messages.get(*number) {
                Some(message) => self.lives(self.delivers(message.clone())).is_some(),
                None => true,
            },
            Happening::Passes(seconds) => {
                self.shop.clock.advance(Duration::from_secs(*seconds));
                true
            }
            Happening::Sweeps => self.lives(self.sweeps()).is_some(),
            Happening::Restarts => false,
            Happening::Dies(death) => {
                self.faults.rewrite(death.script());
                true
            }
        };
        if !survived {
            self.restart();
        }
    }

    /// Whether the process lives to the end of it.
    fn lives(&self, happening: impl Future<Output = ()>) -> Option<()> {
        block_on(until_it_dies(&self.faults, happening))
    }

    async fn buys(&self, buyer: u64) {
        let (cart, _) = self.carts[usize::try_from(buyer).unwrap()];
        let shop = self.shop.buyer(buyer);
        // Shown a price first, as buyers are; what cannot be bought is not.
        let Ok(book) = shop.quote(cart).await else { return };
        let _ = shop.checkout(CheckoutRequest::new(cart, book.total)).await;
    }

    async fn sweeps(&self) {
        let round = self.shop.commerce.run_due().await.unwrap();
        assert_eq!(round.failed, 0, "a timer could not be handled");
    }

    async fn delivers(&self, message: CallbackRequest) {
        let CallbackRequest { headers, body } = message;
        self.shop.commerce.payment_callback("fake", headers, body).await.unwrap();
    }

    /// The bank decides a charge that is open, or repeats what it has decided.
    fn decides(&self, buyer: u64, state: &ChargeState) -> Option<CallbackRequest> {
        let (cart, _) = self.carts[usize::try_from(buyer).unwrap()];
        let audit = Audit::of(&self.store);
        let sagas = audit.all::<Checkout>();
        let saga = sagas.iter().rev().find(|(_, saga, _)| saga.plan().cart == cart)?;
        let ledger = self.shop.gateway.ledger();
        let account = ledger.accounts().find(|account| account.payment == payment_of(saga.0))?;
        let open = matches!(account.state, ChargeState::RequiresAction { .. } | ChargeState::Processing);
        self.shop.gateway.decide(account.payment, if open { state.clone() } else { account.state.clone() })
    }

    /// Time passes and timers are handled until nothing happens any more. Then the gateway delivers again
    /// what was not accepted, as gateways do, and time passes once more.
    fn settles(&mut self) {
        self.faults.stop();
        self.passes();
        for message in std::mem::take(&mut self.undelivered) {
            block_on(self.delivers(message));
        }
        self.passes();
    }

    fn passes(&self) {
        for _ in 0..50 {
            self.shop.clock.advance(Duration::from_secs(120));
            for _ in 0..10 {
                let round = block_on(self.shop.commerce.run_due()).unwrap();
                assert_eq!(round.failed, 0, "a timer could not be handled");
                if round.handled == 0 {
                    break;
                }
            }
        }
    }
}

/// What holds at every moment.
fn holds_always(world: &World, audit: &Audit, before: &mut BTreeMap<CheckoutId, Status>) {
    assert_eq!(world.watched.take_breaches(), []);
    audit.agrees_with(&world.store);
    let pool = stock_pool(&Sku::new("MUG").unwrap(), SettingsValues::default().locations[0]);
    let level = audit.pools()[&pool];
    assert_eq!(level.physical(), STOCK);
    assert!(level.available >= 0);
    let uses = audit.pools().get(&uses_pool(COUPON.id())).copied().unwrap_or_default();
    assert!(uses.held + uses.allocated <= 2);
    for (checkout, saga, events) in audit.all::<Checkout>() {
        undone_in_reverse(&events);
        let status = saga.status();
        if let Some(earlier) = before.insert(checkout, status) {
            follows(earlier, status);
        }
        let (order, total) = (order_of(checkout), saga.plan().total.minor());
        let kept = world.shop.gateway.ledger().kept(order);
        assert!(kept == 0 || kept == total, "{kept} of {total} kept");
    }
    for (cart, state, _) in audit.all::<Cart>() {
        let orders = audit.all::<Order>();
        let of_cart = orders.iter().filter(|(_, order, _)| order.content().cart == Some(cart));
        let standing: Vec<_> = of_cart
            .filter(|(_, order, _)| matches!(order.status(), OrderStatus::Pending | OrderStatus::Confirmed))
            .collect();
        assert!(standing.len() <= 1, "two orders of one cart");
        let order = standing.first().map(|(id, order, _)| (*id, order.status()));
        match state.status() {
            CartStatus::Converted => {
                assert_eq!(order, state.order().map(|order| (order, OrderStatus::Confirmed)));
            }
            CartStatus::CheckingOut => assert!(matches!(order, Some((_, OrderStatus::Pending)))),
            _ => assert_eq!(order, None),
        }
    }
}

/// No way leads from undoing to doing, from one end to another, or back in front of the pivot.
fn follows(earlier: Status, later: Status) {
    let undoing = |status| matches!(status, Status::Compensating(_) | Status::Compensated);
    let step = |status| match status {
        Status::Running(step) | Status::Waiting(step) | Status::ManualIntervention(step) => Some(step),
        _ => None,
    };
    if undoing(earlier) {
        assert!(undoing(later) || matches!(later, Status::ManualIntervention(_)), "{earlier:?} → {later:?}");
    }
    if earlier.is_terminal() {
        assert_eq!(earlier, later);
    }
    if let (Some(earlier), Some(later)) = (step(earlier), step(later)) {
        assert!(earlier <= later, "{earlier:?} → {later:?}");
    }
    if step(earlier).is_some_and(|step| step > Step::Confirm) {
        assert!(!undoing(later));
    }
}

/// Steps are undone in the reverse of their order, each once, and none is taken from then on.
fn undone_in_reverse(events: &[CheckoutEvent]) {
    let begun = events.iter().position(|event| matches!(event, CheckoutEvent::CompensationStarted { .. }));
    let mut undone = Vec::new();
    for (number, event) in events.iter().enumerate() {
        match event {
            CheckoutEvent::StepsTaken { .. } => assert!(begun.is_none_or(|begun| number < begun)),
            CheckoutEvent::StepsUndone { steps, .. } => {
                assert!(begun.is_some_and(|begun| number > begun));
                undone.extend(steps.iter().copied());
            }
            _ => {}
        }
    }
    let expected: Vec<_> =
        STEPS.iter().rev().map(|(step, ..)| *step).filter(|step| step.is_before_pivot()).collect();
    assert_eq!(undone, expected[..undone.len()]);
    if events.iter().any(|event| matches!(event, CheckoutEvent::Compensated)) {
        assert_eq!(undone, expected);
    }
}

/// What holds once nothing happens any more.
fn holds_at_the_end(world: &World, audit: &Audit) {
    audit.replays();
    let ledger = world.shop.gateway.ledger();
    let orders: BTreeMap<_, _> = audit.all::<Order>().into_iter().map(|(id, order, _)| (id, order)).collect();
    let payments: BTreeMap<_, _> =
        audit.all::<Payment>().into_iter().map(|(id, payment, _)| (id, payment)).collect();
    let (mut units, mut uses) = (0, 0);
    for (checkout, saga, _) in audit.all::<Checkout>() {
        let order = order_of(checkout);
        let (status, total) = (orders[&order].status(), saga.plan().total.minor());
        let (kept, reserved) = (ledger.kept(order), ledger.reserved(order));
        if status == OrderStatus::Confirmed {
            let cart = world.carts.iter().find(|(cart, _)| *cart == saga.plan().cart).unwrap();
            units += cart.1;
            uses += i64::from(!saga.plan().redemptions.is_empty());
        }
        match saga.status() {
            Status::Completed => {
                assert_eq!((status, kept, reserved), (OrderStatus::Confirmed, total, 0));
            }
            Status::Compensated => {
                assert_eq!(status, OrderStatus::Failed);
                let payment = payment_of(checkout);
                // Money that came behind the end and that the gateway refuses to give back is for people.
                let refunds = payments[&payment].refunds();
                let refused = refunds.values().any(|refund| refund.status == RefundStatus::Failed);
                assert!(kept == 0 || refused, "{kept} kept of an order that failed");
                let stays = world.watched.refused_to_void(payment);
                assert!(reserved == 0 || stays, "{reserved} reserved for an order that failed");
            }
            Status::ManualIntervention(_) => {}
            other => panic!("{checkout} has not ended: {other:?}"),
        }
    }
    let pool = stock_pool(&Sku::new("MUG").unwrap(), SettingsValues::default().locations[0]);
    let level = audit.pools()[&pool];
    assert_eq!((level.available, level.held, level.allocated), (STOCK - units, 0, units));
    let used = audit.pools().get(&uses_pool(COUPON.id())).copied().unwrap_or_default();
    assert_eq!((used.held, used.allocated), (0, uses));
}

fn runs(happenings: &[Happening], watched: bool) {
    let mut world = World::open();
    let mut before = BTreeMap::new();
    for happening in happenings {
        world.happens(happening);
        if watched {
            holds_always(&world, &Audit::of(&world.store), &mut before);
        }
    }
    world.settles();
    let audit = Audit::of(&world.store);
    holds_always(&world, &audit, &mut before);
    holds_at_the_end(&world, &audit);
}

#[test]
fn a_capture_that_is_refused_is_not_asked_for_without_end() {
    let mut world = World::open();
    world.happens(&Happening::Buys(0));
    let calls = world.shop.gateway.calls();
    assert_eq!(calls, 2);

    let mut world = World::open();
    world.shop.gateway.script(std::iter::once(Behaviour::Approve).chain(refusals()));
    world.happens(&Happening::Buys(0));
    assert_eq!(world.shop.gateway.calls(), 2);
    // Confirmed, and a matter for people once it takes too long.
    world.settles();
    let audit = Audit::of(&world.store);
    let (_, saga, _) = &audit.all::<Checkout>()[0];
    assert_eq!(saga.status(), Status::ManualIntervention(Step::Capture));
    assert_eq!(audit.all::<Order>()[0].1.status(), OrderStatus::Confirmed);
}

fn refusals() -> impl Iterator<Item = Behaviour> {
    std::iter::repeat_n(Behaviour::Decline("no"), 1000)
}

#[test]
fn a_buyer_who_has_paid_is_not_given_up_for_a_lost_message() {
    let mut world = World::open();
    world.happens(&Happening::Behaves(Behaviour::Redirect("https://bank.example/3ds")));
    world.happens(&Happening::Buys(1));
    world.decides(1, &ChargeState::Captured).unwrap();
    world.settles();
    let audit = Audit::of(&world.store);
    let (order, state, _) = &audit.all::<Order>()[0];
    assert_eq!(state.status(), OrderStatus::Confirmed);
    assert_eq!(world.shop.gateway.ledger().kept(*order), state.total().minor());
}

#[test]
fn a_refund_that_is_refused_is_not_taken_for_done() {
    let mut world = World::open();
    world.happens(&Happening::Behaves(Behaviour::Redirect("https://bank.example/3ds")));
    world.happens(&Happening::Buys(0));
    // The stock was held no longer when the buyer paid.
    world.happens(&Happening::Passes(1000));
    world.shop.gateway.script([Behaviour::Decline("no")]);
    world.happens(&Happening::Decides { buyer: 0, state: ChargeState::Captured });
    let saga = |world: &World| Audit::of(&world.store).all::<Checkout>().remove(0);
    let (checkout, state, _) = saga(&world);
    assert_eq!(state.status(), Status::ManualIntervention(Step::Authorise));
    assert_eq!(world.shop.gateway.ledger().kept(order_of(checkout)), 900);
    // Trying again goes on undoing and takes nothing up again.
    let staff = world.shop.staff();
    let resume_at = staff.now();
    block_on(staff.execute(checkout, CheckoutCommand::Retry { resume_at })).unwrap();
    assert_eq!(saga(&world).1.status(), Status::Compensating(Step::Authorise));
    world.settles();
    assert_eq!(saga(&world).1.status(), Status::ManualIntervention(Step::Authorise));
    let refund = PaymentCommand::RequestRefund {
        refund: staff.new_id(),
        amount: Shop::euros(900),
        reason: Reason::new("by hand").unwrap(),
        resolve_at: resume_at,
    };
    block_on(staff.execute(payment_of(checkout), refund)).unwrap();
    world.settles();
    assert_eq!(world.shop.gateway.ledger().kept(order_of(checkout)), 0);
    let retry = CheckoutCommand::Retry { resume_at: staff.now() };
    block_on(staff.execute(checkout, retry)).unwrap();
    world.settles();
    assert_eq!(saga(&world).1.status(), Status::Compensated);
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn patterns_10_saga_ends(happenings in prop::collection::vec(happening(), 1..25)) {
        runs(&happenings, false);
    }

    #[test]
    fn saga_state_machine(happenings in prop::collection::vec(happening(), 1..15)) {
        runs(&happenings, true);
    }
}
