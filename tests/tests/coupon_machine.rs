//! Uses of a coupon against a plain count: a state machine of every command, valid or not.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(clippy::cast_possible_wrap, reason = "small numbers")]

use std::time::Duration;

use commerce_core::kernel::replay::fold;
use commerce_core::promotions::{
    Promotion, PromotionCommand, Redemption, RedemptionCommand, RedemptionStatus as Status, budget_pool,
    customer_uses_pool, redemption_id, uses_pool,
};
use commerce_core::value::id::{OrderId, PromotionId, SubjectId};
use commerce_core::value::{Benefit, Currency, Money, Phase, PromotionRule, Rate, Reason};
use commerce_tests::cases;
use commerce_tests::world::{World, id, is_refusal};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

/// Checkouts that use the coupon.
const SLOTS: usize = 6;
/// Their customers, in turn.
const CUSTOMERS: usize = 2;
/// Uses of all at the start, uses of one customer, and what they may cost in all.
const LIMIT: i64 = 3;
const EACH: i64 = 2;
const BUDGET: i64 = 1000;

/// What is asked; times are seconds from now.
#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Allow(u32),
    Hold(usize, u64),
    Extend(usize, u64),
    Redeem(usize, u8),
    Release(usize),
    Expire(usize),
    Reverse(usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    let slot = || 0..SLOTS;
    prop_oneof![
        2 => (1..40_u64).prop_map(Step::Wait),
        1 => (1..3_u32).prop_map(Step::Allow),
        6 => (slot(), 0..60_u64).prop_map(|(slot, ttl)| Step::Hold(slot, ttl)),
        2 => (slot(), 0..90_u64).prop_map(|(slot, ttl)| Step::Extend(slot, ttl)),
        4 => (slot(), 0..2_u8).prop_map(|(slot, order)| Step::Redeem(slot, order)),
        3 => slot().prop_map(Step::Release),
        3 => slot().prop_map(Step::Expire),
        2 => slot().prop_map(Step::Reverse),
    ]
}

const fn amount(slot: usize) -> i64 {
    100 + 90 * slot as i64
}

const fn customer(slot: usize) -> usize {
    slot % CUSTOMERS
}

/// Whether the use comes back when the order of this slot is cancelled.
const fn returns(slot: usize) -> bool {
    slot.is_multiple_of(2)
}

/// A use as a cashier would note it.
#[derive(Debug, Clone, Copy)]
struct Slip {
    status: Status,
    end: u64,
    order: Option<u8>,
}

/// The model.
#[derive(Debug, Clone, Default)]
struct Till {
    now: u64,
    allowed: i64,
    slips: [Option<Slip>; SLOTS],
    /// Whether the last command was to be accepted.
    accepted: bool,
}

impl Till {
    /// The slots that this one says count, and in which the use is held or, otherwise, used up.
    fn count(&self, held: bool, slots: impl Fn(usize) -> bool, worth: impl Fn(usize) -> i64) -> i64 {
        let counts = |slot: &usize| match self.slips[*slot] {
            Some(Slip { status: Status::Held, .. }) => held,
            Some(Slip { status: Status::Redeemed, .. }) => !held,
            // Used up for good where it does not come back.
            Some(Slip { status: Status::Reversed, .. }) => !held && !returns(*slot),
            _ => false,
        };
        (0..SLOTS).filter(|slot| slots(*slot)).filter(counts).map(worth).sum()
    }

    fn taken(&self, slots: impl Fn(usize) -> bool + Copy, worth: impl Fn(usize) -> i64 + Copy) -> i64 {
        self.count(true, slots, worth) + self.count(false, slots, worth)
    }

    fn note(&mut self, step: &Step) -> Option<()> {
        let now = self.now;
        match *step {
            Step::Wait(seconds) => self.now += seconds,
            Step::Allow(more) => self.allowed += i64::from(more),
            Step::Hold(slot, _) if self.slips[slot].is_some() => {}
            Step::Hold(slot, ttl) => {
                let mine = |other: usize| customer(other) == customer(slot);
                let fits = self.taken(|_| true, |_| 1) < self.allowed
                    && self.taken(mine, |_| 1) < EACH
                    && self.taken(|_| true, amount) + amount(slot) <= BUDGET;
                if ttl == 0 || !fits {
                    return None;
                }
                self.slips[slot] = Some(Slip { status: Status::Held, end: now + ttl, order: None });
            }
            Step::Extend(slot, ttl) => {
                let slip = self.slips[slot].as_mut().filter(|slip| slip.status == Status::Held)?;
                if now + ttl < slip.end {
                    return None;
                }
                slip.end = now + ttl;
            }
            Step::Redeem(slot, order) => {
                let slip = self.slips[slot].as_mut()?;
                match (slip.status, slip.order) {
                    (Status::Held, _) => (slip.status, slip.order) = (Status::Redeemed, Some(order)),
                    (Status::Redeemed, Some(known)) if known == order => {}
                    _ => return None,
                }
            }
            Step::Release(slot) => {
                let slip = self.slips[slot].as_mut()?;
                match slip.status {
                    Status::Held => slip.status = Status::Released,
                    Status::Released | Status::Expired => {}
                    _ => return None,
                }
            }
            Step::Expire(slot) => {
                let slip = self.slips[slot].as_mut()?;
                match slip.status {
                    Status::Held if now < slip.end => return None,
                    Status::Held => slip.status = Status::Expired,
                    _ => {}
                }
            }
            Step::Reverse(slot) => {
                let slip = self.slips[slot].as_mut()?;
                match slip.status {
                    Status::Redeemed => slip.status = Status::Reversed,
                    Status::Reversed => {}
                    _ => return None,
                }
            }
        }
        Some(())
    }
}

impl ReferenceStateMachine for Till {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self { allowed: LIMIT, ..Self::default() }).boxed()
    }

    fn transitions(_: &Self) -> BoxedStrategy<Step> {
        any_step().boxed()
    }

    fn apply(mut till: Self, step: &Step) -> Self {
        till.accepted = till.note(step).is_some();
        till
    }
}

fn coupon() -> PromotionId {
    id("coupon")
}

fn subject(customer: usize) -> SubjectId {
    id(&format!("customer {customer}"))
}

fn order(number: u8) -> OrderId {
    id(&format!("order {number}"))
}

fn euros(minor: i64) -> Money {
    Money::from_minor(minor, Currency::EUR)
}

/// The system: a shop in memory, and the states as they follow from what its answers say.
#[derive(Debug)]
struct Shop {
    world: World,
    commands: u32,
    allowed: u32,
    uses: [Option<Redemption>; SLOTS],
}

impl Shop {
    fn command(&self, slot: usize, step: &Step) -> RedemptionCommand {
        let later = |seconds| self.world.now().plus(Duration::from_secs(seconds));
        match *step {
            Step::Extend(_, ttl) => RedemptionCommand::Extend { expires_at: later(ttl) },
            Step::Redeem(_, number) => RedemptionCommand::Redeem { order: order(number) },
            Step::Release(_) => RedemptionCommand::Release { reason: Reason::new("because").unwrap() },
            Step::Expire(_) => RedemptionCommand::Expire,
            Step::Reverse(_) => RedemptionCommand::Reverse,
            Step::Hold(_, ttl) => RedemptionCommand::Hold {
                promotion: coupon(),
                version: 1,
                code: None,
                checkout: id(&format!("checkout {slot}")),
                subject: subject(customer(slot)),
                amount: euros(amount(slot)),
                limited: true,
                per_customer_limit: Some(u32::try_from(EACH).unwrap()),
                budgeted: true,
                returns_usage: returns(slot),
                expires_at: later(ttl),
            },
            Step::Wait(_) | Step::Allow(_) => panic!("{step:?} is no command of a use"),
        }
    }

    /// Gives a command, folds its events onto the live state, and gives it again.
    fn give(&mut self, slot: usize, step: &Step) -> bool {
        self.commands += 1;
        let command_id = id(&format!("command {}", self.commands));
        let command = self.command(slot, step);
        let of = redemption_id(id(&format!("checkout {slot}")), coupon());
        let accepted = match self.world.run_as(command_id, of, command.clone()) {
            Ok(executed) => {
                self.uses[slot] = fold(self.uses[slot].take(), &executed.events).unwrap();
                true
            }
            Err(error) if is_refusal(&error) => false,
            Err(error) => panic!("{error:?}"),
        };
        let contents = self.world.contents();
        match self.world.run_as(command_id, of, command) {
            Ok(repeated) => assert!(accepted && repeated.repeated && repeated.events.is_empty()),
            Err(error) => assert!(!accepted, "a repeat is refused: {error:?}"),
        }
        assert_eq!(self.world.contents(), contents, "a repeat changes something");
        accepted
    }
}

impl StateMachineTest for Shop {
    type SystemUnderTest = Self;
    type Reference = Till;

    fn init_test(_: &Till) -> Self {
        let world = World::new();
        let benefit = Benefit::Percent(Rate::parse("10").unwrap());
        let create = PromotionCommand::Create {
            rule: PromotionRule {
                currency: Some(Currency::EUR),
                ..PromotionRule::new(coupon(), Phase::Order, benefit)
            },
            usage_limit: Some(u32::try_from(LIMIT).unwrap()),
            per_customer_limit: Some(u32::try_from(EACH).unwrap()),
            budget: Some(euros(BUDGET)),
            returns_usage: true,
        };
        world.run(coupon(), create).unwrap();
        world.run(coupon(), PromotionCommand::Activate).unwrap();
        Self { world, commands: 0, allowed: u32::try_from(LIMIT).unwrap(), uses: Default::default() }
    }

    fn apply(mut shop: Self, till: &Till, step: Step) -> Self {
        let accepted = match step {
            Step::Wait(seconds) => {
                shop.world.clock.advance(Duration::from_secs(seconds));
                true
            }
            Step::Allow(more) => {
                shop.allowed += more;
                let command = PromotionCommand::ChangeLimits {
                    usage_limit: Some(shop.allowed),
                    per_customer_limit: Some(u32::try_from(EACH).unwrap()),
                    budget: Some(euros(BUDGET)),
                };
                shop.world.run::<PromotionCommand>(coupon(), command).is_ok()
            }
            Step::Hold(slot, _)
            | Step::Extend(slot, _)
            | Step::Redeem(slot, _)
            | Step::Release(slot)
            | Step::Expire(slot)
            | Step::Reverse(slot) => shop.give(slot, &step),
        };
        assert_eq!(accepted, till.accepted, "{step:?}");
        shop
    }

    fn check_invariants(shop: &Self, till: &Till) {
        let uses = shop.world.level(&uses_pool(coupon()));
        let (held, used) = (till.count(true, |_| true, |_| 1), till.count(false, |_| true, |_| 1));
        assert_eq!((uses.available, uses.held, uses.allocated), (till.allowed - held - used, held, used));
        let budget = shop.world.level(&budget_pool(coupon()));
        let (held, used) = (till.count(true, |_| true, amount), till.count(false, |_| true, amount));
        assert_eq!((budget.available, budget.held, budget.allocated), (BUDGET - held - used, held, used));
        for number in 0..CUSTOMERS {
            let of = shop.world.level(&customer_uses_pool(coupon(), subject(number)));
            let mine = |slot: usize| customer(slot) == number;
            assert_eq!(
                (of.held, of.allocated),
                (till.count(true, mine, |_| 1), till.count(false, mine, |_| 1))
            );
        }
        assert!(shop.world.replayed::<Promotion>(coupon()).is_some());
        for slot in 0..SLOTS {
            let live = &shop.uses[slot];
            let noted = till.slips[slot].map(|slip| (slip.status, slip.order.map(order)));
            assert_eq!(live.as_ref().map(|known| (known.status(), known.order())), noted);
            let of = redemption_id(id(&format!("checkout {slot}")), coupon());
            assert_eq!(&shop.world.replayed::<Redemption>(of), live);
        }
    }
}

prop_state_machine! {
    #![proptest_config(cases(256))]

    #[test]
    fn promotions_1_2_3_uses_behave_like_a_plain_count(sequential 1..60 => Shop);
}
