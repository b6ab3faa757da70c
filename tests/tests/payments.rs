//! The invariants of payments over generated histories, checked against the log.
//!
//! Invariants 6 and 10 are about calls and callbacks; they need the checkout and stand with it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use commerce_core::app::error::CommandError;
use commerce_core::kernel::aggregate::Aggregate as _;
use commerce_core::kernel::error::CommitError;
use commerce_core::kernel::replay::fold;
use commerce_core::orders::snapshot::PaymentSums;
use commerce_core::orders::status::{OrderPaymentStatus, payment_status};
use commerce_core::payments::ledger::{Pending, PendingKind};
use commerce_core::payments::{
    Ledger, Payment, PaymentCommand as Ask, PaymentError, PaymentEvent, PaymentStatus, RefundStatus,
};
use commerce_core::port::payment::{GatewayFact as Fact, GatewayRef, IdempotencyKey};
use commerce_core::value::id::PaymentId;
use commerce_core::value::time::Timestamp;
use commerce_core::value::{Currency, Money};
use commerce_tests::cases;
use commerce_tests::stock::reason;
use commerce_tests::world::{World, id, is_refusal};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::subsequence;

/// What the payment is about.
const DUE: i64 = 1000;

fn eur(minor: i64) -> Money {
    Money::from_minor(minor, Currency::EUR)
}

fn reference(name: impl AsRef<str>) -> GatewayRef {
    GatewayRef(name.as_ref().into())
}

fn payment(index: usize) -> PaymentId {
    id(&format!("payment {index}"))
}

/// How many payments the histories use.
const PAYMENTS: usize = 2;

fn soon(now: Timestamp) -> Timestamp {
    now.plus(Duration::from_secs(30))
}

fn initiate(index: usize, capture: bool, now: Timestamp) -> Ask {
    Ask::Initiate {
        payment: payment(index),
        order: id("order"),
        checkout: id("checkout"),
        gateway: "acme".into(),
        method: "token".into(),
        amount: eur(DUE),
        capture,
        deadline: now.plus(Duration::from_secs(600)),
        key: IdempotencyKey(format!("{}:authorize", payment(index)).into()),
        resolve_at: soon(now),
    }
}

fn record(index: usize, fact: Fact, now: Timestamp) -> Ask {
    Ask::Record { charge: reference(format!("charge {index}")), fact, resolve_at: soon(now) }
}

/// What happens to a payment; times are relative.
#[derive(Debug, Clone)]
enum Act {
    Initiate(bool),
    Fact(Fact),
    Unknown,
    NotFound,
    Capture(i64),
    Cancel,
    Expire,
    Refund(u8, i64),
    /// The gateway answers the pending call of this number, well or not.
    Answer(usize, bool),
    /// In the wrong currency.
    Foreign,
}

impl Act {
    fn ask(self, index: usize, state: Option<&Payment>, now: Timestamp) -> Option<Ask> {
        let resolve_at = soon(now);
        Some(match self {
            Self::Initiate(capture) => initiate(index, capture, now),
            Self::Fact(fact) => record(index, fact, now),
            Self::Unknown => {
                let key = IdempotencyKey(format!("{}:authorize", payment(index)).into());
                Ask::MarkUnknown { key, resolve_at }
            }
            Self::NotFound => Ask::RecordNotFound,
            Self::Capture(minor) => Ask::Capture { amount: eur(minor), resolve_at },
            Self::Cancel => Ask::Cancel { resolve_at },
            Self::Expire => Ask::Expire { resolve_at },
            Self::Refund(number, minor) => Ask::RequestRefund {
                refund: id(&format!("refund {number}")),
                amount: eur(minor),
                reason: reason(),
                resolve_at,
            },
            Self::Answer(number, good) => {
                let calls = state?.pending();
                let (key, Pending { amount, kind }) = calls.iter().nth(number % calls.len().max(1))?;
                match (kind, good) {
                    (PendingKind::Authorize, true) => {
                        record(index, Fact::Authorized { amount: *amount }, now)
                    }
                    (_, true) => {
                        let operation = reference(format!("of {}", key.0));
                        Ask::RecordSettled { key: key.clone(), operation, amount: *amount }
                    }
                    (_, false) => Ask::RecordRefusal { key: key.clone(), code: "no".into() },
                }
            }
            Self::Foreign => {
                let amount = Money::from_minor(DUE, Currency::USD);
                record(index, Fact::Captured { operation: reference("usd"), amount }, now)
            }
        })
    }
}

fn facts() -> Vec<Fact> {
    let captured = |name: &str, minor| Fact::Captured { operation: reference(name), amount: eur(minor) };
    let refunded = |name: &str, minor| Fact::Refunded { operation: reference(name), amount: eur(minor) };
    vec![
        Fact::Processing,
        Fact::ActionRequired { url: "https://bank.example".into() },
        Fact::Authorized { amount: eur(DUE) },
        captured("charge", DUE),
        captured("part", 300),
        captured("other part", 300),
        Fact::Declined { code: "declined".into() },
        Fact::Voided,
        refunded("refund", DUE),
        refunded("part refund", 250),
        Fact::DisputeOpened { operation: reference("dispute"), amount: eur(400) },
        Fact::DisputeClosed { operation: reference("dispute"), charged_back: eur(400) },
        Fact::DisputeClosed { operation: reference("won dispute"), charged_back: eur(0) },
    ]
}

fn any_fact() -> impl Strategy<Value = Fact> {
    proptest::sample::select(facts())
}

/// What the shop does, and how the gateway answers it.
fn shop_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        1 => any::<bool>().prop_map(Act::Initiate),
        1 => Just(Act::Unknown),
        1 => Just(Act::NotFound),
        5 => prop_oneof![2 => 1..600_i64, 1 => Just(DUE), 1 => -5..1_i64, 1 => 1001..2000_i64]
            .prop_map(Act::Capture),
        1 => Just(Act::Cancel),
        1 => Just(Act::Expire),
        4 => (0..4_u8, prop_oneof![3 => 1..500_i64, 1 => Just(DUE), 1 => -5..1_i64])
            .prop_map(|(number, minor)| Act::Refund(number, minor)),
        8 => (0..4_usize, proptest::bool::weighted(0.8)).prop_map(|(call, good)| Act::Answer(call, good)),
        1 => Just(Act::Foreign),
    ]
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![3 => shop_act(), 2 => any_fact().prop_map(Act::Fact)]
}

/// A history of several payments; the first command of each begins it.
fn history(act: impl Strategy<Value = Act>) -> impl Strategy<Value = Vec<(usize, Act)>> {
    vec((0..PAYMENTS, act), 1..40).prop_map(|acts| {
        let begin = (0..PAYMENTS).map(|index| (index, Act::Initiate(false)));
        begin.chain(acts).collect()
    })
}

/// Does one act; the answer is what happened, or nothing where it was refused.
fn perform(world: &World, index: usize, act: Act) -> Result<Vec<PaymentEvent>, Option<PaymentError>> {
    let state = world.replayed::<Payment>(payment(index));
    let Some(ask) = act.ask(index, state.as_ref(), world.now()) else { return Err(None) };
    match world.run(payment(index), ask) {
        Ok(executed) => Ok(executed.events),
        Err(CommandError::Rejected(error)) => Err(Some(error)),
        Err(error) => panic!("{error:?}"),
    }
}

/// The states behind every event of a payment, from the log.
fn prefixes(world: &World, index: usize) -> Vec<(PaymentEvent, Payment)> {
    let mut state = None;
    let events = world.events::<Payment>(payment(index));
    let step = |event: PaymentEvent| {
        state = fold(state.take(), [&event]).unwrap();
        (event, state.clone().unwrap())
    };
    events.into_iter().map(step).collect()
}

fn pending_refunds(payment: &Payment) -> i64 {
    let pending = payment.refunds().values().filter(|refund| refund.status == RefundStatus::Pending);
    pending.map(|refund| refund.amount.minor()).sum()
}

/// Whether every entry of one map is in the other with the same amount.
fn kept(before: &BTreeMap<GatewayRef, i64>, after: &BTreeMap<GatewayRef, i64>) -> bool {
    before.iter().all(|(operation, amount)| after.get(operation) == Some(amount))
}

/// Every order of the numbers below `count`.
fn permutations(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(count - 1);
    let insert = |place: usize| {
        shorter.iter().map(move |order| {
            let mut order = order.clone();
            order.insert(place, count - 1);
            order
        })
    };
    (0..count).flat_map(insert).collect()
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn payments_1_no_more_is_captured_than_authorised(
        acts in history(shop_act()),
        beyond in 1..500_i64,
    ) {
        let world = World::new();
        for (index, act) in acts {
            drop(perform(&world, index, act));
            let Some(state) = world.replayed::<Payment>(payment(index)) else { continue };
            let calls = state.pending().values().filter(|call| call.kind == PendingKind::Capture);
            let asked: i64 = calls.map(|call| call.amount.minor()).sum();
            prop_assert!(state.ledger().authorized <= DUE);
            prop_assert!(state.ledger().captured() + asked <= state.ledger().authorized);
        }
        // What the gateway reports beyond is recorded, and the order is overpaid. The charge's own name is
        // no further capture: it tells what was taken in all.
        for (name, amount) in [("all of it", DUE), ("beyond", beyond), ("charge 0", DUE)] {
            let fact = Fact::Captured { operation: reference(name), amount: eur(amount) };
            prop_assert!(perform(&world, 0, Act::Fact(fact)).is_ok());
        }
        let ledger = world.replayed::<Payment>(payment(0)).unwrap().ledger().clone();
        let asked = ledger.captures.iter().filter(|(name, _)| **name != reference("charge 0"));
        prop_assert_eq!(ledger.captured(), asked.map(|(_, amount)| amount).sum::<i64>());
        prop_assert!(ledger.captured() >= DUE + beyond);
        let sums = PaymentSums { captured: ledger.captured(), ..PaymentSums::default() };
        prop_assert_eq!(payment_status(&[sums], DUE), OrderPaymentStatus::Overpaid);
    }

    /// At every prefix where gateways report only what was asked for; and at every request in any history.
    #[test]
    fn payments_2_no_more_is_refunded_than_is_left(
        (facts, acts) in any::<bool>().prop_flat_map(|facts| {
            let acts = if facts { history(any_act()).boxed() } else { history(shop_act()).boxed() };
            (Just(facts), acts)
        }),
    ) {
        let world = World::new();
        for (index, act) in acts {
            drop(perform(&world, index, act));
        }
        for index in 0..PAYMENTS {
            for (event, state) in prefixes(&world, index) {
                if facts && !matches!(event, PaymentEvent::RefundRequested { .. }) {
                    continue;
                }
                let ledger = state.ledger();
                let going = ledger.refunded() + pending_refunds(&state);
                prop_assert!(going <= ledger.captured() - ledger.lost(), "{event:?} {ledger:?}");
            }
        }
    }

    #[test]
    fn payments_3_the_ledger_only_grows(acts in history(any_act())) {
        let world = World::new();
        for (index, act) in acts {
            let before = world.replayed::<Payment>(payment(index)).map(|state| state.ledger().clone());
            let repeat = match (&act, act.clone().ask(
                index,
                world.replayed::<Payment>(payment(index)).as_ref(),
                world.now(),
            )) {
                (Act::Fact(_) | Act::Answer(..), Some(ask)) => Some(ask),
                _ => None,
            };
            let done = perform(&world, index, act);
            let state = world.replayed::<Payment>(payment(index));
            if let (Some(before), Some(state)) = (before, &state) {
                let after = state.ledger();
                prop_assert!(kept(&before.captures, &after.captures));
                prop_assert!(kept(&before.refunds, &after.refunds));
                prop_assert!(kept(&before.disputes, &after.disputes));
                prop_assert!(kept(&before.charged_back, &after.charged_back));
                prop_assert!(before.authorized <= after.authorized && before.voided <= after.voided);
            }
            // A second delivery.
            if let (Some(repeat), Ok(_)) = (repeat, done) {
                let contents = world.contents();
                prop_assert_eq!(world.run(payment(index), repeat).unwrap().events, Vec::new());
                prop_assert_eq!(world.contents(), contents);
            }
        }
    }

    /// Every permutation of every set of up to four facts, and of any set with repeats one at random.
    #[test]
    fn payments_4_the_order_of_arrival_has_no_influence(
        few in subsequence(facts(), 1..5),
        (many, shuffled) in subsequence(facts(), 0..13).prop_flat_map(|facts| {
            let repeated: Vec<Fact> = facts.iter().chain(&facts).cloned().collect();
            (Just(facts), Just(repeated).prop_shuffle())
        }),
        capture in any::<bool>(),
    ) {
        let ledger = |facts: &[Fact]| -> (Ledger, PaymentStatus) {
            let world = World::new();
            perform(&world, 0, Act::Initiate(capture)).unwrap();
            for fact in facts {
                // No fact is refused: what a gateway says has happened.
                perform(&world, 0, Act::Fact(fact.clone())).unwrap();
            }
            let state = world.replayed::<Payment>(payment(0)).unwrap();
            // Where the attempt is over, everything that arrived is on its way back.
            if state.ledger().given_up() {
                assert_eq!(state.refundable().minor(), 0, "{state:?}");
            }
            (state.ledger().clone(), state.status())
        };
        let first = ledger(&few);
        for order in permutations(few.len()) {
            let facts: Vec<Fact> = order.iter().map(|index| few[*index].clone()).collect();
            prop_assert_eq!(&ledger(&facts), &first);
        }
        prop_assert_eq!(ledger(&shuffled), ledger(&many));
    }

    #[test]
    fn payments_5_one_key_one_request(
        acts in vec((0..PAYMENTS, 0..6_u8, any_act()), 1..30),
    ) {
        let world = World::new();
        for index in 0..PAYMENTS {
            perform(&world, index, Act::Initiate(false)).unwrap();
        }
        let mut known: BTreeMap<u8, (usize, Ask, u64)> = BTreeMap::new();
        for (index, key, act) in acts {
            let state = world.replayed::<Payment>(payment(index));
            let Some(ask) = act.ask(index, state.as_ref(), world.now()) else { continue };
            let contents = world.contents();
            let command = id(&format!("command {key}"));
            let outcome = world.run_as(command, payment(index), ask.clone());
            match known.get(&key) {
                Some((first, asked, version)) if (*first, asked) == (index, &ask) => {
                    let executed = outcome.unwrap();
                    prop_assert!(executed.repeated && executed.version.get() == *version);
                    prop_assert_eq!(world.contents(), contents);
                }
                Some(_) => {
                    let reused =
                        matches!(&outcome, Err(CommandError::Commit(CommitError::KeyReused(_))));
                    prop_assert!(reused, "{outcome:?}");
                    prop_assert_eq!(world.contents(), contents);
                }
                None => match outcome {
                    Ok(executed) => {
                        prop_assert!(!executed.repeated);
                        let again = world.run_as(command, payment(index), ask.clone()).unwrap();
                        prop_assert_eq!((again.repeated, again.version), (true, executed.version));
                        known.insert(key, (index, ask, executed.version.get()));
                    }
                    Err(error) => {
                        prop_assert!(is_refusal(&error), "{error:?}");
                        prop_assert_eq!(world.contents(), contents);
                    }
                },
            }
        }
    }

    #[test]
    fn payments_7_void_only_what_is_not_captured(acts in history(any_act())) {
        let world = World::new();
        for (index, act) in acts {
            let before = world.replayed::<Payment>(payment(index));
            let capture = matches!(act, Act::Capture(_));
            let Ok(events) = perform(&world, index, act) else { continue };
            let after = world.replayed::<Payment>(payment(index)).unwrap();
            for event in &events {
                match event {
                    PaymentEvent::VoidRequested { .. } => {
                        prop_assert_eq!(after.ledger().captured(), 0);
                    }
                    // Money that arrives for an attempt that is over goes back in the same commit.
                    PaymentEvent::Captured { .. } if after.ledger().given_up() => {
                        prop_assert_eq!(after.refundable().minor(), 0, "{:?}", after);
                    }
                    // And a reservation is given up, unless the gateway has done so.
                    PaymentEvent::Authorized { .. } if after.ledger().given_up() => {
                        let voids = |call: &Pending| call.kind == PendingKind::Void;
                        let over = after.ledger().captured() > 0 || after.pending().values().any(voids);
                        prop_assert!(over, "{after:?}");
                    }
                    _ => {}
                }
            }
            let over = before.is_some_and(|before| before.ledger().given_up());
            prop_assert!(!(capture && over), "a capture of an attempt that was given up");
        }
        // Nobody voids twice what the gateway has voided.
        for index in 0..PAYMENTS {
            let mut voided = false;
            for (event, state) in prefixes(&world, index) {
                let again = matches!(event, PaymentEvent::VoidRequested { .. }) && voided;
                prop_assert!(!again, "{state:?}");
                voided |= matches!(event, PaymentEvent::Voided { key: Some(_) });
            }
        }
    }

    #[test]
    fn payments_8_one_currency(
        acts in history(any_act()),
        code in proptest::sample::select(vec!["USD", "JPY", "KWD"]),
        minor in 1..2000_i64,
    ) {
        let world = World::new();
        for (index, act) in acts {
            drop(perform(&world, index, act));
        }
        let amount = Money::from_minor(minor, code.parse().unwrap());
        let now = world.now();
        let operation = reference("foreign");
        let contents = world.contents();
        for fact in [
            Fact::Authorized { amount },
            Fact::Captured { operation: operation.clone(), amount },
            Fact::Refunded { operation: operation.clone(), amount },
            Fact::DisputeOpened { operation: operation.clone(), amount },
            Fact::DisputeClosed { operation, charged_back: amount },
        ] {
            let refused = world.run(payment(0), record(0, fact, now));
            let money = matches!(&refused, Err(CommandError::Rejected(PaymentError::Money(_))));
            prop_assert!(money, "{refused:?}");
        }
        let capture = Ask::Capture { amount, resolve_at: now };
        prop_assert!(world.run(payment(0), capture).is_err());
        let refund = Ask::RequestRefund { refund: id("new"), amount, reason: reason(), resolve_at: now };
        prop_assert!(world.run(payment(0), refund).is_err());
        prop_assert_eq!(world.contents(), contents);
        for recorded in world.log() {
            let json: serde_json::Value = serde_json::from_slice(&recorded.event.data).unwrap();
            let text = json.to_string();
            prop_assert!(!text.contains(code), "{text}");
        }
    }

    #[test]
    fn payments_9_no_fact_lowers_what_was_captured(acts in history(any_act())) {
        let world = World::new();
        let mut captured = [0; PAYMENTS];
        for (index, act) in acts {
            let name = format!("{act:?}");
            let before = world.replayed::<Payment>(payment(index)).map(|state| state.status());
            let events = perform(&world, index, act).unwrap_or_default();
            let state = world.replayed::<Payment>(payment(index)).unwrap();
            let sum = state.ledger().captured();
            prop_assert!(sum >= captured[index], "{name}");
            captured[index] = sum;
            // A captured payment stays captured: only refunds, disputes and more money are recorded of it.
            if before == Some(PaymentStatus::Captured) {
                prop_assert_eq!(state.status(), PaymentStatus::Captured, "{}", name);
                let capture = events.iter().any(|event| {
                    matches!(event, PaymentEvent::CaptureRequested { .. } | PaymentEvent::VoidRequested { .. })
                });
                prop_assert!(!capture, "{events:?}");
            }
        }
    }
}

#[test]
fn two_equal_refunds_are_counted_as_two() {
    let world = World::new();
    perform(&world, 0, Act::Initiate(true)).unwrap();
    let captured = Fact::Captured { operation: reference("charge"), amount: eur(DUE) };
    perform(&world, 0, Act::Fact(captured)).unwrap();
    let ask = |number: u8| perform(&world, 0, Act::Refund(number, 400)).unwrap();
    let key = |events: Vec<PaymentEvent>| match events.into_iter().next() {
        Some(PaymentEvent::RefundRequested { key, .. }) => key,
        other => panic!("{other:?}"),
    };
    let mut keys = [key(ask(1)), key(ask(2))];
    keys.sort();
    // The callback of the second call is taken for the first, and comes before both answers.
    let callback = Fact::Refunded { operation: reference("second"), amount: eur(400) };
    perform(&world, 0, Act::Fact(callback)).unwrap();
    for (key, operation) in keys.iter().zip(["first", "second"]).rev() {
        let (key, operation) = (key.clone(), reference(operation));
        world.run(payment(0), Ask::RecordSettled { key, operation, amount: eur(400) }).unwrap();
    }
    let state = world.replayed::<Payment>(payment(0)).unwrap();
    assert_eq!((state.ledger().refunded(), state.refundable().minor()), (800, 200));
    assert!(state.pending().is_empty());
}

/// The first payment behind commands that are all accepted.
fn behind(commands: impl IntoIterator<Item = Ask>) -> Payment {
    let begun = initiate(0, false, Timestamp::UNIX_EPOCH);
    let all = [begun].into_iter().chain(commands).fold(None, |state: Option<Payment>, command| {
        let events = Payment::decide(state.as_ref(), command, Timestamp::UNIX_EPOCH).unwrap();
        fold(state, &events).unwrap()
    });
    all.unwrap()
}

fn names(known: &Payment, command: Ask) -> Result<Vec<&'static str>, PaymentError> {
    let events = Payment::decide(Some(known), command, Timestamp::UNIX_EPOCH)?;
    Ok(events.iter().map(commerce_core::kernel::event::DomainEvent::name).collect())
}

fn says(fact: Fact) -> Ask {
    record(0, fact, Timestamp::UNIX_EPOCH)
}

/// The buyer has to confirm it at their bank.
fn asks() -> Fact {
    Fact::ActionRequired { url: "https://bank.example".into() }
}

fn cancel() -> Ask {
    Ask::Cancel { resolve_at: Timestamp::UNIX_EPOCH }
}

fn expire() -> Ask {
    Ask::Expire { resolve_at: Timestamp::UNIX_EPOCH }
}

#[test]
fn giving_up_undoes_what_the_gateway_has_done_and_assumes_nothing() {
    let refused = |status, command| Err(PaymentError::IllegalTransition { status, command });
    let asked = behind([]);
    assert_eq!(names(&asked, cancel()), refused(PaymentStatus::Processing, "cancel"));
    let key = IdempotencyKey(format!("{}:authorize", payment(0)).into());
    let unknown = behind([Ask::MarkUnknown { key, resolve_at: Timestamp::UNIX_EPOCH }]);
    assert_eq!(names(&unknown, cancel()), refused(PaymentStatus::Unknown, "cancel"));
    let working = behind([says(Fact::Processing)]);
    assert_eq!(names(&working, cancel()), refused(PaymentStatus::Processing, "cancel"));
    // The call is over, and nothing is reserved: it is our word only.
    let waiting = behind([says(asks())]);
    assert_eq!(names(&waiting, cancel()), Ok(vec!["PaymentVoided"]));
    assert_eq!(names(&waiting, expire()), Ok(vec!["PaymentExpired"]));
    let authorized = behind([says(Fact::Authorized { amount: eur(DUE) })]);
    assert_eq!(names(&authorized, cancel()), Ok(vec!["VoidRequested"]));
    assert_eq!(names(&authorized, expire()), Ok(vec!["PaymentExpired", "VoidRequested"]));
    for minor in [300, DUE] {
        let fact = Fact::Captured { operation: reference("part"), amount: eur(minor) };
        let captured = behind([says(Fact::Authorized { amount: eur(DUE) }), says(fact)]);
        let status = if minor == DUE { PaymentStatus::Captured } else { PaymentStatus::PartiallyCaptured };
        assert_eq!(captured.status(), status);
        assert_eq!(names(&captured, expire()), refused(status, "expire"));
        assert!(names(&captured, cancel()).unwrap().contains(&"RefundRequested"), "{minor}");
    }
}

#[test]
fn money_that_is_reserved_behind_our_word_goes_back() {
    let given_up = behind([says(asks()), cancel()]);
    let late = names(&given_up, says(Fact::Authorized { amount: eur(DUE) })).unwrap();
    assert_eq!(late, ["PaymentAuthorized", "VoidRequested"]);
    // Where the gateway has said that nothing is reserved, the same message is an old one.
    let voided = behind([says(Fact::Authorized { amount: eur(DUE) }), cancel(), says(Fact::Voided)]);
    let old = names(&voided, says(Fact::Authorized { amount: eur(DUE) })).unwrap();
    assert!(!old.contains(&"VoidRequested"), "{old:?}");
}

#[test]
fn an_answer_has_to_be_about_the_amount_of_its_call_except_for_a_void() {
    let authorized = || says(Fact::Authorized { amount: eur(DUE) });
    let resolve_at = Timestamp::UNIX_EPOCH;
    let pending = |known: &Payment| known.pending().keys().next().cloned().unwrap();
    let settled = |known: &Payment, minor| {
        let (key, operation) = (pending(known), reference("operation"));
        names(known, Ask::RecordSettled { key, operation, amount: eur(minor) })
    };
    let capture = behind([authorized(), Ask::Capture { amount: eur(DUE), resolve_at }]);
    assert_eq!(settled(&capture, DUE), Ok(vec!["PaymentProcessed"]));
    let mismatch = PaymentError::AmountMismatch { expected: eur(DUE), reported: eur(DUE - 1) };
    assert_eq!(settled(&capture, DUE - 1), Err(mismatch));
    let voiding = behind([authorized(), cancel()]);
    assert_eq!(settled(&voiding, DUE - 1), Ok(vec!["PaymentVoided"]));
    assert_eq!(settled(&voiding, DUE), Ok(vec!["PaymentVoided"]));
}

#[test]
fn a_refund_that_is_known_by_its_operation_is_not_booked_again() {
    let taken = [
        says(Fact::Authorized { amount: eur(DUE) }),
        says(Fact::Captured { operation: reference("charge"), amount: eur(DUE) }),
    ];
    let refund = |name: &str| Ask::RequestRefund {
        refund: id(name),
        amount: eur(250),
        reason: reason(),
        resolve_at: Timestamp::UNIX_EPOCH,
    };
    let asked = behind(taken.clone().into_iter().chain([refund("first")]));
    let key = asked.pending().keys().next().cloned().unwrap();
    let answer =
        |key: IdempotencyKey| Ask::RecordSettled { key, operation: reference("back"), amount: eur(250) };
    assert_eq!(names(&asked, answer(key.clone())), Ok(vec!["RefundProcessed"]));
    let both = behind(taken.into_iter().chain([refund("first"), answer(key), refund("second")]));
    let second = both.pending().keys().next().cloned().unwrap();
    assert_eq!(names(&both, answer(second)), Ok(vec![]), "that operation is booked");
}

#[test]
fn a_payment_of_nothing_is_not_captured() {
    assert_eq!(Ledger::default().status(0), PaymentStatus::Created);
    let taken = Ledger { captures: BTreeMap::from([(reference("charge"), 1)]), ..Ledger::default() };
    assert_eq!(taken.status(0), PaymentStatus::Captured);
    assert_eq!(
        (taken.status(1), taken.status(2)),
        (PaymentStatus::Captured, PaymentStatus::PartiallyCaptured)
    );
}
