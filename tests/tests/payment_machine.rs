//! A payment against a bank statement: a state machine of every report, in any order and any number of times,
//! and of refunds that are asked for in between.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(
    clippy::cast_possible_wrap,
    clippy::struct_excessive_bools,
    reason = "small numbers; facts, not states"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use commerce_core::kernel::replay::fold;
use commerce_core::payments::{Payment, PaymentCommand as Ask, PaymentStatus, RefundStatus};
use commerce_core::port::payment::{GatewayFact as Fact, GatewayRef, IdempotencyKey};
use commerce_core::value::id::{PaymentId, RefundId};
use commerce_core::value::{Currency, Money, Reason};
use commerce_tests::cases;
use commerce_tests::world::{World, id, is_refusal};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

/// What the payment is about, in cents.
const DUE: i64 = 1000;
/// What the captures take: the first two make the whole, the third is too much.
const CAPTURES: [i64; 3] = [400, 600, 250];
/// What is disputed and lost.
const DISPUTED: i64 = 50;
/// What the gateway gives back without having been asked.
const GIVEN: i64 = 77;
/// Refunds that are asked for; each of an amount of its own.
const REFUNDS: usize = 3;

/// What is reported or asked.
#[derive(Debug, Clone, Copy)]
enum Step {
    Processing,
    Redirected,
    Authorized,
    Captured(usize),
    /// The same capture with another amount.
    Miscounted(usize),
    Declined,
    Given,
    Disputed,
    Lost,
    AnswerMissing,
    Foreign,
    Refund(usize),
    Settled(usize),
    Refused(usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    let capture = || 0..CAPTURES.len();
    prop_oneof![
        1 => Just(Step::Processing),
        1 => Just(Step::Redirected),
        2 => Just(Step::Authorized),
        6 => capture().prop_map(Step::Captured),
        1 => capture().prop_map(Step::Miscounted),
        1 => Just(Step::Declined),
        1 => Just(Step::Given),
        1 => Just(Step::Disputed),
        1 => Just(Step::Lost),
        1 => Just(Step::AnswerMissing),
        1 => Just(Step::Foreign),
        6 => (0..REFUNDS).prop_map(Step::Refund),
        4 => (0..REFUNDS).prop_map(Step::Settled),
        2 => (0..REFUNDS).prop_map(Step::Refused),
    ]
}

const fn asked(refund: usize) -> i64 {
    300 + 10 * refund as i64
}

/// The model: what a bank statement says, and what was asked for.
#[derive(Debug, Clone, Default)]
struct Statement {
    redirected: bool,
    authorized: bool,
    declined: bool,
    missing: bool,
    captured: BTreeMap<usize, i64>,
    given_back: BTreeMap<String, i64>,
    disputed: bool,
    lost: bool,
    refunds: BTreeMap<usize, RefundStatus>,
    /// Whether the last command was to be accepted.
    accepted: bool,
}

impl Statement {
    fn taken(&self) -> i64 {
        self.captured.values().sum()
    }

    fn back(&self) -> i64 {
        self.given_back.values().sum()
    }

    fn waiting(&self) -> i64 {
        let waiting = self.refunds.iter().filter(|(_, status)| **status == RefundStatus::Pending);
        waiting.map(|(refund, _)| asked(*refund)).sum()
    }

    fn refundable(&self) -> i64 {
        let lost = if self.lost { DISPUTED } else { 0 };
        (self.taken() - lost - self.back() - self.waiting()).max(0)
    }

    /// The highest of the states that the statement shows (machines, payments: the order of precedence).
    fn status(&self) -> PaymentStatus {
        match self.taken() {
            taken if taken >= DUE => PaymentStatus::Captured,
            taken if taken > 0 => PaymentStatus::PartiallyCaptured,
            _ if self.authorized => PaymentStatus::Authorized,
            _ if self.declined => PaymentStatus::Failed,
            _ if self.redirected => PaymentStatus::RequiresAction,
            _ if self.missing => PaymentStatus::Unknown,
            _ => PaymentStatus::Processing,
        }
    }

    fn note(&mut self, step: Step) -> Option<()> {
        match step {
            Step::Processing => {}
            Step::Redirected => self.redirected = true,
            Step::Authorized => self.authorized = true,
            Step::Captured(number) => drop(self.captured.insert(number, CAPTURES[number])),
            Step::Declined => self.declined = true,
            Step::Given => drop(self.given_back.insert("given".to_owned(), GIVEN)),
            Step::Disputed => self.disputed = true,
            Step::Lost => self.lost = true,
            Step::AnswerMissing => self.missing |= !self.answered(),
            Step::Refund(refund) if self.refunds.contains_key(&refund) => {}
            Step::Refund(refund) if asked(refund) <= self.refundable() => {
                self.refunds.insert(refund, RefundStatus::Pending);
            }
            Step::Miscounted(_) | Step::Foreign | Step::Refund(_) => return None,
            Step::Settled(refund) => {
                let status = self.refunds.get_mut(&refund)?;
                if *status == RefundStatus::Pending {
                    *status = RefundStatus::Succeeded;
                }
                self.given_back.insert(refund.to_string(), asked(refund));
            }
            Step::Refused(refund) => {
                if let Some(status @ RefundStatus::Pending) = self.refunds.get_mut(&refund) {
                    *status = RefundStatus::Failed;
                }
            }
        }
        Some(())
    }

    /// Whether the call that asked for the money has an outcome.
    fn answered(&self) -> bool {
        self.authorized || self.declined || !self.captured.is_empty()
    }
}

impl ReferenceStateMachine for Statement {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self::default()).boxed()
    }

    fn transitions(_: &Self) -> BoxedStrategy<Step> {
        any_step().boxed()
    }

    // A capture of another amount under a name that is not known yet is that capture, for all anybody knows.
    fn preconditions(statement: &Self, step: &Step) -> bool {
        !matches!(step, Step::Miscounted(number) if !statement.captured.contains_key(number))
    }

    fn apply(mut statement: Self, step: &Step) -> Self {
        statement.accepted = statement.note(*step).is_some();
        statement
    }
}

fn payment() -> PaymentId {
    id("payment")
}

fn refund(number: usize) -> RefundId {
    id(&format!("refund {number}"))
}

fn eur(minor: i64) -> Money {
    Money::from_minor(minor, Currency::EUR)
}

fn name(text: impl AsRef<str>) -> GatewayRef {
    GatewayRef(text.as_ref().into())
}

fn key() -> IdempotencyKey {
    IdempotencyKey("authorize".into())
}

/// The system: a shop in memory, and the payment as it follows from what its answers say.
#[derive(Debug)]
struct Shop {
    world: World,
    commands: u32,
    live: Option<Payment>,
}

impl Shop {
    fn command(&self, step: Step) -> Ask {
        let resolve_at = self.world.now().plus(Duration::from_secs(30));
        let fact = match step {
            Step::Processing => Fact::Processing,
            Step::Redirected => Fact::ActionRequired { url: "https://bank.example".into() },
            Step::Authorized => Fact::Authorized { amount: eur(DUE) },
            Step::Captured(number) => {
                Fact::Captured { operation: name(format!("capture {number}")), amount: eur(CAPTURES[number]) }
            }
            Step::Miscounted(number) => Fact::Captured {
                operation: name(format!("capture {number}")),
                amount: eur(CAPTURES[number] + 1),
            },
            Step::Declined => Fact::Declined { code: "no".into() },
            Step::Given => Fact::Refunded { operation: name("given"), amount: eur(GIVEN) },
            Step::Disputed => Fact::DisputeOpened { operation: name("dispute"), amount: eur(DISPUTED) },
            Step::Lost => Fact::DisputeClosed { operation: name("dispute"), charged_back: eur(DISPUTED) },
            Step::Foreign => {
                let amount = Money::from_minor(DUE, Currency::JPY);
                Fact::Captured { operation: name("foreign"), amount }
            }
            Step::AnswerMissing => return Ask::MarkUnknown { key: key(), resolve_at },
            Step::Refund(number) => {
                let (refund, amount) = (refund(number), eur(asked(number)));
                return Ask::RequestRefund {
                    refund,
                    amount,
                    reason: Reason::new("because").unwrap(),
                    resolve_at,
                };
            }
            Step::Settled(number) => {
                let operation = name(format!("settled {number}"));
                return Ask::RecordSettled {
                    key: self.refund_key(number),
                    operation,
                    amount: eur(asked(number)),
                };
            }
            Step::Refused(number) => {
                return Ask::RecordRefusal { key: self.refund_key(number), code: "no".into() };
            }
        };
        Ask::Record { charge: name("charge"), fact, resolve_at }
    }

    fn refund_key(&self, number: usize) -> IdempotencyKey {
        self.live.as_ref().unwrap().refund_key(refund(number))
    }
}

impl StateMachineTest for Shop {
    type SystemUnderTest = Self;
    type Reference = Statement;

    fn init_test(_: &Statement) -> Self {
        let world = World::new();
        let initiate = Ask::Initiate {
            payment: payment(),
            order: id("order"),
            checkout: id("checkout"),
            gateway: "acme".into(),
            method: "token".into(),
            amount: eur(DUE),
            capture: false,
            deadline: world.now().plus(Duration::from_secs(600)),
            key: key(),
            resolve_at: world.now().plus(Duration::from_secs(30)),
        };
        let begun = world.run(payment(), initiate).unwrap();
        let live = fold(None, &begun.events).unwrap();
        Self { world, commands: 0, live }
    }

    fn apply(mut shop: Self, statement: &Statement, step: Step) -> Self {
        shop.commands += 1;
        let command_id = id(&format!("command {}", shop.commands));
        let command = shop.command(step);
        let accepted = match shop.world.run_as(command_id, payment(), command.clone()) {
            Ok(executed) => {
                shop.live = fold(shop.live.take(), &executed.events).unwrap();
                true
            }
            Err(error) if is_refusal(&error) => false,
            Err(error) => panic!("{error:?}"),
        };
        assert_eq!(accepted, statement.accepted, "{step:?}");
        let contents = shop.world.contents();
        match shop.world.run_as(command_id, payment(), command) {
            Ok(repeated) => assert!(accepted && repeated.repeated && repeated.events.is_empty()),
            Err(error) => assert!(!accepted, "a repeat is refused: {error:?}"),
        }
        assert_eq!(shop.world.contents(), contents, "a repeat changes something");
        shop
    }

    fn check_invariants(shop: &Self, statement: &Statement) {
        let live = shop.live.as_ref().unwrap();
        let ledger = live.ledger();
        assert_eq!(ledger.captured(), statement.taken());
        assert_eq!(ledger.refunded(), statement.back());
        assert_eq!(ledger.lost(), if statement.lost { DISPUTED } else { 0 });
        assert_eq!(live.status(), statement.status());
        assert_eq!(live.refundable(), eur(statement.refundable()));
        let refunds = (0..REFUNDS)
            .filter_map(|number| live.refunds().get(&refund(number)).map(|entry| (number, entry.status)));
        assert_eq!(refunds.collect::<BTreeMap<_, _>>(), statement.refunds);
        assert_eq!(&shop.world.replayed::<Payment>(payment()), &shop.live);
    }
}

prop_state_machine! {
    #![proptest_config(cases(256))]

    #[test]
    fn payments_1_2_4_the_ledger_is_the_bank_statement(sequential 1..50 => Shop);
}
