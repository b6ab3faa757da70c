use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::history::{Step, at, drive, id};
use crate::kernel::aggregate::Aggregate;
use crate::kernel::effects::Effects;
use crate::kernel::pool::{NetMove, PoolKey, PoolLevel, PoolOp, PoolRefusal};
use crate::kernel::replay::fold;
use crate::kernel::unique::Key;
use crate::value::id::{CheckoutId, PromotionId};
use crate::value::{
    Benefit, Currency, Money, Phase, PromotionCode, PromotionRule, Rate, Reason, RejectReason,
};

const PROMOTION: u128 = 77;

fn eur(minor: i64) -> Money {
    Money::from_minor(minor, Currency::EUR)
}

fn reason() -> Reason {
    Reason::new("payment failed").unwrap()
}

fn rule(code: Option<&str>) -> PromotionRule {
    let benefit = Benefit::Percent(Rate::parse("10").unwrap());
    PromotionRule {
        code: code.map(|code| PromotionCode::new(code).unwrap()),
        currency: Some(Currency::EUR),
        ..PromotionRule::new(id(PROMOTION), Phase::Order, benefit)
    }
}

fn create(code: Option<&str>, uses: Option<u32>, each: Option<u32>, budget: Option<i64>) -> PromotionCommand {
    PromotionCommand::Create {
        rule: rule(code),
        usage_limit: uses,
        per_customer_limit: each,
        budget: budget.map(eur),
        returns_usage: true,
    }
}

/// Pools and unique keys as a store keeps them.
#[derive(Default)]
struct Store {
    pools: BTreeMap<PoolKey, PoolLevel>,
    keys: Vec<Key>,
    promotion: Option<Promotion>,
    redemptions: BTreeMap<CheckoutId, Redemption>,
}

impl Store {
    fn level(&self, pool: &PoolKey) -> PoolLevel {
        self.pools.get(pool).copied().unwrap_or_default()
    }

    fn apply(&mut self, effects: &[Effects]) -> Result<(), PoolRefusal> {
        let mut nets: BTreeMap<PoolKey, NetMove> = BTreeMap::new();
        for one in effects.iter().flat_map(|effects| &effects.moves) {
            nets.entry(one.pool.clone()).or_default().add(one.op);
        }
        let after = nets.iter().map(|(pool, net)| Ok((pool.clone(), net.apply(self.level(pool))?)));
        let after = after.collect::<Result<Vec<_>, PoolRefusal>>()?;
        self.pools.extend(after);
        for effects in effects {
            self.keys.retain(|key| !effects.releases.contains(key));
            self.keys.extend(effects.claims.iter().map(|claim| claim.key.clone()));
        }
        Ok(())
    }

    /// Whether it was accepted, also by the pools.
    fn promotion(&mut self, command: PromotionCommand) -> bool {
        let Ok(events) = Promotion::decide(self.promotion.as_ref(), command, at(1)) else { return false };
        let effects: Vec<_> = events.iter().map(|event| Promotion::effects(id(PROMOTION), event)).collect();
        let accepted = self.apply(&effects).is_ok();
        if accepted {
            self.promotion = fold(self.promotion.take(), &events).unwrap();
        }
        accepted
    }

    fn redemption(&mut self, checkout: CheckoutId, command: RedemptionCommand, now: i64) -> bool {
        let known = self.redemptions.get(&checkout).cloned();
        let Ok(events) = Redemption::decide(known.as_ref(), command, at(now)) else { return false };
        let redemption = redemption_id(checkout, id(PROMOTION));
        let effects: Vec<_> = events.iter().map(|event| Redemption::effects(redemption, event)).collect();
        let accepted = self.apply(&effects).is_ok();
        if accepted && let Some(after) = fold(known, &events).unwrap() {
            self.redemptions.insert(checkout, after);
        }
        accepted
    }

    fn hold(&mut self, checkout: u128, subject: u128, minor: i64) -> bool {
        let promotion = self.promotion.as_ref().unwrap();
        let command = hold_of(promotion, checkout, subject, minor);
        self.redemption(id(checkout), command, 1)
    }

    /// Uses that are held or redeemed and counted, by whom.
    fn used(&self) -> impl Iterator<Item = &Grant> {
        let counts = |status| matches!(status, RedemptionStatus::Held | RedemptionStatus::Redeemed);
        self.redemptions.values().filter(move |use_| counts(use_.status())).map(Redemption::grant)
    }
}

fn hold_of(promotion: &Promotion, checkout: u128, subject: u128, minor: i64) -> RedemptionCommand {
    RedemptionCommand::Hold {
        promotion: id::<crate::value::id::marker::Promotion>(PROMOTION),
        version: promotion.rule().version,
        code: promotion.rule().code.clone(),
        checkout: id(checkout),
        subject: id(subject),
        amount: eur(minor),
        limited: promotion.usage_limit().is_some(),
        per_customer_limit: promotion.per_customer_limit(),
        budgeted: promotion.budget().is_some(),
        returns_usage: promotion.returns_usage(),
        expires_at: at(100),
    }
}

#[derive(Debug, Clone)]
enum Act {
    Hold { checkout: u128, subject: u128, minor: i64 },
    On { checkout: u128, command: RedemptionCommand, now: i64 },
    Limits { uses: u32, each: u32, budget: i64 },
}

fn any_redemption_command() -> impl Strategy<Value = RedemptionCommand> {
    prop_oneof![
        Just(RedemptionCommand::Release { reason: reason() }),
        (1..3_u128).prop_map(|order| RedemptionCommand::Redeem { order: id(order) }),
        Just(RedemptionCommand::Expire),
        Just(RedemptionCommand::Reverse),
        (90..110_i64).prop_map(|end| RedemptionCommand::Extend { expires_at: at(end) }),
    ]
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (1..20_u128, 1..4_u128, 0..50_i64)
            .prop_map(|(checkout, subject, minor)| Act::Hold { checkout, subject, minor }),
        3 => (1..20_u128, any_redemption_command(), prop_oneof![Just(1_i64), Just(105)])
            .prop_map(|(checkout, command, now)| Act::On { checkout, command, now }),
        1 => (0..9_u32, 1..4_u32, 0..200_i64).prop_map(|(uses, each, budget)| Act::Limits { uses, each, budget }),
    ]
}

fn run(acts: Vec<Act>, mut check: impl FnMut(&Store)) {
    let mut store = Store::default();
    assert!(store.promotion(create(Some("SAVE10"), Some(4), Some(2), Some(120))));
    assert!(store.promotion(PromotionCommand::Activate));
    for act in acts {
        match act {
            Act::Hold { checkout, subject, minor } => drop(store.hold(checkout, subject, minor)),
            Act::On { checkout, command, now } => drop(store.redemption(id(checkout), command, now)),
            Act::Limits { uses, each, budget } => drop(store.promotion(PromotionCommand::ChangeLimits {
                usage_limit: Some(uses),
                per_customer_limit: Some(each),
                budget: Some(eur(budget)),
            })),
        }
        check(&store);
    }
}

proptest! {
    #[test]
    fn promotions_1_uses_stay_within_the_limits(acts in proptest::collection::vec(any_act(), 0..80)) {
        let mut seen = BTreeMap::new();
        run(acts, |store| {
            let limit = store.promotion.as_ref().unwrap().usage_limit().unwrap();
            let used = store.used().count();
            assert!(used <= usize::try_from(limit).unwrap());
            let level = store.level(&uses_pool(id(PROMOTION)));
            assert_eq!(level.held + level.allocated, i64::try_from(used).unwrap());
            assert_eq!(level.physical(), i64::from(limit));
            for subject in 1..4 {
                let mine = store.used().filter(|grant| grant.subject == id(subject)).count();
                let level = store.level(&customer_uses_pool(id(PROMOTION), id(subject)));
                assert_eq!(level.held + level.allocated, i64::try_from(mine).unwrap());
                // A lowered limit stops further uses, not those that were granted.
                let each = store.promotion.as_ref().unwrap().per_customer_limit().unwrap();
                let before = seen.insert(subject, mine).unwrap_or(0);
                assert!(mine <= before || mine <= usize::try_from(each).unwrap());
            }
        });
    }

    #[test]
    fn promotions_2_a_hold_ends_once(
        commands in proptest::collection::vec((any_redemption_command(), prop_oneof![Just(1_i64), Just(105), Just(200)]), 0..20),
        returns in any::<bool>(),
    ) {
        let mut store = Store::default();
        assert!(store.promotion(create(None, Some(1), Some(1), Some(50))));
        let mut first = hold_of(store.promotion.as_ref().unwrap(), 1, 1, 50);
        if let RedemptionCommand::Hold { returns_usage, .. } = &mut first { *returns_usage = returns; }
        let commands = std::iter::once((first, 1)).chain(commands).map(|(command, now)| (at(now), command));
        let mut given_back = 0;
        let events = drive::<Redemption>(commands, |step: Step<'_, Redemption>| {
            if step.before.is_some_and(|before| !matches!(before.status(), RedemptionStatus::Held | RedemptionStatus::Redeemed)) {
                assert_eq!(step.before, step.after);
            }
            let freed = |event: &RedemptionEvent| matches!(event,
                RedemptionEvent::Released { .. } | RedemptionEvent::Expired { .. } | RedemptionEvent::Reversed { returned: true, .. });
            given_back += step.outcome.iter().flatten().filter(|event| freed(event)).count();
        });
        prop_assert!(given_back <= 1);
        // The store accepts the whole history: nothing is given back that is not held or allocated.
        let effects: Vec<_> = events.iter().map(|event| Redemption::effects(id(5), event)).collect();
        for one in &effects {
            store.apply(std::slice::from_ref(one)).unwrap();
        }
        let free = store.level(&uses_pool(id(PROMOTION))).available;
        prop_assert_eq!(free, i64::try_from(given_back).unwrap());
        prop_assert_eq!(store.level(&budget_pool(id(PROMOTION))).available, free * 50);
    }

    #[test]
    fn promotions_3_grants_stay_within_the_budget(acts in proptest::collection::vec(any_act(), 0..80)) {
        run(acts, |store| {
            let budget = store.promotion.as_ref().unwrap().budget().unwrap();
            let granted: i64 = store.used().map(|grant| grant.amount.minor()).sum();
            assert!(granted <= budget.minor());
            let level = store.level(&budget_pool(id(PROMOTION)));
            assert_eq!((level.held + level.allocated, level.physical()), (granted, budget.minor()));
        });
    }

    #[test]
    fn a_promotion_replays_and_its_keys_follow_its_state(
        steps in proptest::collection::vec((0..7_u8, any::<bool>(), proptest::option::of(0..9_u32)), 0..30),
    ) {
        let mut keys: Vec<Key> = Vec::new();
        let commands = steps.into_iter().map(|(step, coded, limit)| match step {
            0 => PromotionCommand::Activate,
            1 => PromotionCommand::Pause,
            2 => PromotionCommand::Resume,
            3 => PromotionCommand::ChangeLimits { usage_limit: limit, per_customer_limit: limit, budget: limit.map(|n| eur(n.into())) },
            4 | 5 => PromotionCommand::Revise { rule: PromotionRule { priority: limit.map_or(0, u32::cast_signed), ..rule(coded.then_some("NEW")) } },
            _ => if limit == Some(0) { PromotionCommand::Archive } else if coded { PromotionCommand::End } else { PromotionCommand::Resume },
        });
        let commands = std::iter::once(create(Some("OLD"), Some(3), None, None)).chain(commands).map(|command| (at(1), command));
        drive::<Promotion>(commands, |step: Step<'_, Promotion>| {
            for event in step.outcome.iter().flatten() {
                let effects = Promotion::effects(id(PROMOTION), event);
                assert!(effects.releases.iter().all(|key| keys.contains(key)), "only what it has is given up");
                keys.retain(|key| !effects.releases.contains(key));
                keys.extend(effects.claims.iter().map(|claim| claim.key.clone()));
            }
            let after = step.after.unwrap();
            let mut wanted = Vec::new();
            if let Some(code) = after.rule().code.as_ref().filter(|_| after.status() != PromotionStatus::Archived) {
                wanted.push(Key::new(CODE_SCOPE, code.as_str()));
            }
            if after.rule().code.is_none() && after.status() == PromotionStatus::Active {
                let promotion: PromotionId = id(PROMOTION);
                wanted.push(Key::new(ACTIVE_SCOPE, promotion.to_string()));
            }
            keys.sort();
            wanted.sort();
            assert_eq!(keys, wanted);
        });
    }
}

#[test]
fn rules_that_make_no_sense_are_refused() {
    let refused = |rule: PromotionRule, budget: Option<i64>| {
        let budget = budget.map(eur);
        let command = PromotionCommand::Create {
            rule,
            usage_limit: None,
            per_customer_limit: None,
            budget,
            returns_usage: false,
        };
        Promotion::decide(None, command, at(1)).unwrap_err()
    };
    let window = PromotionRule { from: Some(at(5)), until: Some(at(5)), ..rule(None) };
    assert_eq!(refused(window, None), PromotionError::EmptyWindow);
    let free = PromotionRule { benefit: Benefit::FreeShipping, ..rule(None) };
    assert_eq!(refused(free, None), PromotionError::WrongPhase);
    let negative = PromotionRule { benefit: Benefit::FixedPerOrder(eur(-1)), ..rule(None) };
    assert_eq!(refused(negative, None), PromotionError::NegativeAmount);
    let any_currency = PromotionRule { currency: None, ..rule(None) };
    assert_eq!(refused(any_currency, Some(5)), PromotionError::BudgetWithoutCurrency);
    let dollars = PromotionRule { currency: Some(Currency::USD), ..rule(None) };
    assert_eq!(refused(dollars, Some(5)), PromotionError::CurrencyMismatch);
    assert_eq!(Promotion::decide(None, PromotionCommand::End, at(1)), Err(PromotionError::NotFound));
}

#[test]
fn steps_out_of_order_are_refused() {
    let mut store = Store::default();
    assert!(store.promotion(create(None, Some(1), None, None)));
    assert!(store.promotion(create(None, Some(1), None, None)), "a repeat is a no-op");
    assert!(!store.promotion(create(None, Some(2), None, None)));
    assert!(!store.promotion(PromotionCommand::Resume));
    assert!(!store.promotion(PromotionCommand::End));
    assert!(store.promotion(PromotionCommand::Activate));
    let other = PromotionRule { promotion: id(1), ..rule(None) };
    let refused =
        Promotion::decide(store.promotion.as_ref(), PromotionCommand::Revise { rule: other }, at(1));
    assert_eq!(refused, Err(PromotionError::IdMismatch));
    assert!(store.hold(1, 1, 5));
    assert!(!store.hold(2, 2, 5), "the only use is held");
    let lower =
        PromotionCommand::ChangeLimits { usage_limit: Some(0), per_customer_limit: None, budget: None };
    assert!(!store.promotion(lower), "a limit below what is held");
    assert!(store.promotion(PromotionCommand::End));
    assert!(!store.promotion(PromotionCommand::Revise { rule: rule(Some("X")) }));
}

#[test]
fn standing_follows_from_time_and_pools() {
    let window = PromotionRule { from: Some(at(10)), until: Some(at(20)), ..rule(None) };
    let mut store = Store::default();
    assert!(store.promotion(create(None, Some(1), None, None)));
    assert!(store.promotion(PromotionCommand::Revise { rule: window }));
    assert!(store.promotion(PromotionCommand::Activate));
    let promotion = store.promotion.clone().unwrap();
    assert_eq!(promotion.rule().version, 2);
    let (none, one) = (PoolLevel::default(), PoolLevel { available: 1, ..PoolLevel::default() });
    let standing = |now, uses| promotion.standing(at(now), uses, none);
    assert_eq!(standing(9, one), Standing::Scheduled);
    assert_eq!(standing(10, one), Standing::Active);
    assert_eq!(standing(10, none), Standing::Exhausted);
    assert_eq!(standing(20, one), Standing::Ended);
    assert_eq!(promotion.offered(at(10), none, none).withheld, Some(RejectReason::Exhausted));
    assert_eq!(promotion.offered(at(10), one, none).withheld, None);
}

#[test]
fn a_use_is_refused() {
    let mut store = Store::default();
    assert!(store.promotion(create(Some("A"), None, Some(2), None)));
    let promotion = store.promotion.clone().unwrap();
    let decide = |known: Option<&Redemption>, command, now| Redemption::decide(known, command, at(now));
    let hold = hold_of(&promotion, 1, 1, 5);
    assert_eq!(decide(None, hold.clone(), 100), Err(RedemptionError::BadExpiry { expires_at: at(100) }));
    assert_eq!(decide(None, hold_of(&promotion, 1, 1, -5), 1), Err(RedemptionError::NegativeAmount));
    assert_eq!(decide(None, RedemptionCommand::Reverse, 1), Err(RedemptionError::NotFound));
    let held = fold::<Redemption>(None, &decide(None, hold.clone(), 1).unwrap()).unwrap().unwrap();
    assert_eq!(decide(Some(&held), hold, 500), Ok(vec![]));
    assert_eq!(decide(Some(&held), hold_of(&promotion, 1, 2, 5), 1), Err(RedemptionError::AlreadyHeld));
    assert_eq!(decide(Some(&held), RedemptionCommand::Expire, 99), Err(RedemptionError::NotExpired));
    assert!(decide(Some(&held), RedemptionCommand::Reverse, 1).is_err());
    let redeem = |order| RedemptionCommand::Redeem { order: id(order) };
    let late = decide(Some(&held), redeem(4), 101).unwrap();
    let redeemed = fold(Some(held), &late).unwrap().unwrap();
    assert_eq!(decide(Some(&redeemed), redeem(5), 1), Err(RedemptionError::UsedBy { order: id(4) }));
    assert!(decide(Some(&redeemed), RedemptionCommand::Release { reason: reason() }, 1).is_err());
    let moves = Redemption::effects(id(9), &late[0]).moves;
    assert_eq!(moves.len(), 1, "only the customer's uses are limited");
    assert_eq!(moves[0].op, PoolOp::Allocate(1));
}

#[test]
fn the_currency_of_a_budget_outlives_it() {
    let made = |budget| {
        let create = create(None, None, None, budget);
        let events = Promotion::decide(None, create, at(0)).unwrap();
        fold::<Promotion>(None, &events).unwrap().unwrap()
    };
    let revise = |known: &Promotion, currency| {
        let rule = PromotionRule { currency, ..rule(None) };
        Promotion::decide(Some(known), PromotionCommand::Revise { rule }, at(0)).map(|events| events.len())
    };
    let (plain, budgeted) = (made(None), made(Some(500)));
    assert_eq!(revise(&plain, Some(Currency::USD)), Ok(1));
    assert_eq!(revise(&plain, Some(Currency::EUR)), Ok(0));
    assert!(revise(&budgeted, Some(Currency::USD)).is_err());
    assert_eq!(revise(&budgeted, Some(Currency::EUR)), Ok(0));
    assert!(plain.returns_usage());
    let keeps = PromotionCommand::Create {
        rule: rule(None),
        usage_limit: None,
        per_customer_limit: None,
        budget: None,
        returns_usage: false,
    };
    let events = Promotion::decide(None, keeps, at(0)).unwrap();
    assert!(!fold::<Promotion>(None, &events).unwrap().unwrap().returns_usage());
}
