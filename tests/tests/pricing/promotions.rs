//! The invariants of promotions that are about evaluating them.

use std::collections::BTreeMap;

use proptest::prelude::*;

use commerce_core::pricing::price;
use commerce_core::value::id::PromotionId;
use commerce_core::value::{
    Benefit, Conditions, Currency, DiscountReason, Label, LineDiscount, Outcome, Phase, PriceBook,
    PricingInput, PromotionRule, Rate, RejectReason, ShippingCharge, TaxClass, Threshold, TotalAfter,
    TraceStep,
};
use commerce_testkit::strategy::pricing::{
    CURRENCY, NOW, code, input, line, line_id, money, promotion_id, time,
};

fn discounts(book: &PriceBook) -> impl Iterator<Item = &LineDiscount> {
    let shipping = book.shipping.iter().flat_map(|shipping| &shipping.discounts);
    book.lines.iter().flat_map(|line| &line.discounts).chain(shipping)
}

fn amounts(book: &PriceBook) -> BTreeMap<PromotionId, i64> {
    let mut amounts = BTreeMap::new();
    for discount in discounts(book) {
        *amounts.entry(discount.promotion).or_insert(0) += discount.amount.minor();
    }
    amounts
}

fn rule_of(input: &PricingInput, promotion: PromotionId) -> &PromotionRule {
    input.promotions.iter().find(|rule| rule.promotion == promotion).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn promotions_4_only_what_is_active_gives_a_discount(input in input()) {
        let book = price(&input).unwrap();
        for discount in discounts(&book) {
            let rule = rule_of(&input, discount.promotion);
            prop_assert!(rule.withheld.is_none());
            prop_assert!(rule.from.is_none_or(|from| from <= input.now));
            prop_assert!(rule.until.is_none_or(|until| input.now < until));
            prop_assert!(rule.currency.is_none_or(|currency| currency == CURRENCY));
            prop_assert!(rule.code.as_ref().is_none_or(|code| input.requested_codes.contains(code)));
            prop_assert_eq!((discount.version, &discount.code), (rule.version, &rule.code));
        }
    }

    #[test]
    fn promotions_5_an_exclusive_promotion_is_alone_in_its_group(input in input()) {
        let book = price(&input).unwrap();
        let applied: Vec<_> = amounts(&book).into_keys().map(|id| rule_of(&input, id)).collect();
        for rule in applied.iter().filter(|rule| rule.exclusive) {
            let group = applied.iter().filter(|other| other.exclusive_group == rule.exclusive_group);
            prop_assert_eq!(group.count(), 1);
        }
    }

    #[test]
    fn promotions_6_selection_follows_the_total_order(input in input()) {
        let book = price(&input).unwrap();
        let tried: Vec<_> = book.trace.iter().filter_map(|step| match step {
            TraceStep::Promotion { promotion, outcome, .. } => Some((*promotion, *outcome)),
            _ => None,
        }).collect();
        let key = |id| {
            let rule = rule_of(&input, id);
            (rule.phase, rule.priority, rule.code.clone(), rule.promotion)
        };
        prop_assert!(tried.iter().zip(tried.iter().skip(1)).all(|(a, b)| key(a.0) < key(b.0)));
        // Nothing is tried in secret: the trace and the discounts tell the same story.
        let amounts = amounts(&book);
        for (promotion, outcome) in &tried {
            match outcome {
                Outcome::Applied { amount } => prop_assert_eq!(amounts.get(promotion), Some(&amount.minor())),
                Outcome::Rejected { .. } => prop_assert!(!amounts.contains_key(promotion)),
            }
        }
        prop_assert!(amounts.keys().all(|id| tried.iter().any(|(tried, _)| tried == id)));
        for line in &book.lines {
            let keys: Vec<_> = line.discounts.iter().map(|discount| key(discount.promotion)).collect();
            prop_assert!(keys.is_sorted());
        }
    }

    #[test]
    fn promotions_7_no_unit_is_bought_and_given(input in input()) {
        let book = price(&input).unwrap();
        let mut spoken_for: u64 = 0;
        let mut given: BTreeMap<PromotionId, u64> = BTreeMap::new();
        for line in &book.lines {
            let gifts = line.discounts.iter().filter_map(|discount| match discount.reason {
                DiscountReason::Gift { units } => Some((discount.promotion, u64::from(units))),
                _ => None,
            });
            let mut on_line = 0;
            for (promotion, units) in gifts {
                on_line += units;
                *given.entry(promotion).or_default() += units;
            }
            prop_assert!(on_line <= u64::from(line.quantity.get()));
        }
        for (promotion, gifts) in given {
            let rule = rule_of(&input, promotion);
            let Benefit::BuyXGetY { buy, get, max_gifts, .. } = rule.benefit else { unreachable!() };
            prop_assert!(max_gifts.is_none_or(|max| gifts <= u64::from(max)));
            spoken_for += gifts + gifts.div_ceil(u64::from(get.get())) * u64::from(buy.get());
        }
        let units: u64 = book.lines.iter().map(|line| u64::from(line.quantity.get())).sum();
        prop_assert!(spoken_for <= units);
    }

    #[test]
    fn promotions_8_no_discount_exceeds_what_is_left(input in input()) {
        let book = price(&input).unwrap();
        for line in &book.lines {
            let mut left = line.list.minor();
            for discount in &line.discounts {
                prop_assert!(discount.amount.minor() <= left);
                left -= discount.amount.minor();
                prop_assert_ne!(rule_of(&input, discount.promotion).phase, Phase::Shipping);
                prop_assert_ne!(discount.reason, DiscountReason::FreeShipping);
            }
        }
        for discount in book.shipping.iter().flat_map(|shipping| &shipping.discounts) {
            prop_assert_eq!(rule_of(&input, discount.promotion).phase, Phase::Shipping);
        }
        prop_assert!(book.fees.iter().all(|fee| fee.discounts.is_empty()));
    }

    #[test]
    fn promotions_9_every_requested_code_gets_an_outcome(input in input()) {
        let book = price(&input).unwrap();
        for code in &input.requested_codes {
            let outcomes: Vec<_> = book.codes.iter().filter(|outcome| outcome.code == *code).collect();
            prop_assert_eq!(outcomes.len(), 1);
            let given: i64 = discounts(&book)
                .filter(|discount| discount.code.as_ref() == Some(code))
                .map(|discount| discount.amount.minor())
                .sum();
            match outcomes[0].outcome {
                Outcome::Applied { amount } => prop_assert_eq!(amount.minor(), given),
                Outcome::Rejected { reason } => {
                    prop_assert_eq!(given, 0);
                    let known = input.promotions.iter().any(|rule| rule.code.as_ref() == Some(code));
                    prop_assert_eq!(reason == RejectReason::UnknownCode, !known);
                }
            }
        }
        prop_assert!(book.codes.iter().all(|outcome| input.requested_codes.contains(&outcome.code)));
    }
}

fn rule(number: u128, phase: Phase, benefit: Benefit) -> PromotionRule {
    PromotionRule { code: Some(code(0)), ..PromotionRule::new(promotion_id(number), phase, benefit) }
}

fn cart(promotions: Vec<PromotionRule>) -> PricingInput {
    PricingInput {
        lines: vec![line(1, 2, "10.00"), line(2, 3, "5.00")],
        promotions,
        requested_codes: vec![code(0)],
        ..PricingInput::new(CURRENCY, time(NOW))
    }
}

fn half(phase: Phase) -> PromotionRule {
    rule(1, phase, Benefit::Percent(Rate::parse("50").unwrap()))
}

fn rejected(input: &PricingInput) -> RejectReason {
    match price(input).unwrap().codes[0].outcome {
        Outcome::Rejected { reason } => reason,
        Outcome::Applied { amount } => panic!("applied {amount}"),
    }
}

#[test]
fn every_refusal_says_why() {
    let because = |rule: PromotionRule| rejected(&cart(vec![rule]));
    let line_rule = || half(Phase::Line);
    assert_eq!(rejected(&cart(vec![])), RejectReason::UnknownCode);
    assert_eq!(because(PromotionRule { from: Some(time(NOW + 1)), ..line_rule() }), RejectReason::NotStarted);
    assert_eq!(because(PromotionRule { until: Some(time(NOW)), ..line_rule() }), RejectReason::Ended);
    let withheld = Some(RejectReason::Exhausted);
    assert_eq!(because(PromotionRule { withheld, ..line_rule() }), RejectReason::Exhausted);
    let currency = Some(Currency::USD);
    assert_eq!(because(PromotionRule { currency, ..line_rule() }), RejectReason::CurrencyMismatch);
    assert_eq!(because(half(Phase::Shipping)), RejectReason::NoShipping);
    assert_eq!(because(rule(1, Phase::Order, Benefit::FreeShipping)), RejectReason::NotApplicable);
    assert_eq!(because(rule(1, Phase::Line, Benefit::FixedPerOrder(money(-1)))), RejectReason::NotApplicable);
    assert_eq!(
        because(rule(1, Phase::Line, Benefit::FixedPerOrder(money(0)))),
        RejectReason::NothingToDiscount
    );
    let condition = Conditions { min_quantity: Some(6), ..Conditions::default() };
    assert_eq!(because(PromotionRule { condition, ..line_rule() }), RejectReason::TooFewUnits { missing: 1 });
    let condition = Conditions { products: vec![line_id(9).cast()], ..Conditions::default() };
    assert_eq!(because(PromotionRule { condition, ..line_rule() }), RejectReason::NoMatchingLine);
    let first = PromotionRule { exclusive: true, code: None, priority: -1, ..line_rule() };
    let second = rule(2, Phase::Line, Benefit::FixedPerOrder(money(1)));
    let excluded = RejectReason::Excluded { by: promotion_id(1) };
    assert_eq!(rejected(&cart(vec![second, first])), excluded);
}

/// A threshold looks at the total it declares, not at whatever is left when it is evaluated.
#[test]
fn thresholds_test_the_phase_they_declare() {
    let with = |after| {
        let min_subtotal = Some(Threshold { amount: money(3000), after });
        let condition = Conditions { min_subtotal, ..Conditions::default() };
        let first = PromotionRule { code: None, ..half(Phase::Line) };
        let second = rule(2, Phase::Order, Benefit::FixedPerOrder(money(100)));
        cart(vec![first, PromotionRule { condition, ..second }])
    };
    let book = price(&with(TotalAfter::List)).unwrap();
    assert_eq!(book.codes[0].outcome, Outcome::Applied { amount: money(100) });
    let missing = money(3000 - 1750);
    assert_eq!(rejected(&with(TotalAfter::LinePromotions)), RejectReason::BelowThreshold { missing });
    assert_eq!(rejected(&with(TotalAfter::OrderPromotions)), RejectReason::NotApplicable);
}

#[test]
fn buy_two_get_one_gives_the_cheapest() {
    let deal = |buy: u32, get: u32, max_gifts| Benefit::BuyXGetY {
        buy: buy.try_into().unwrap(),
        get: get.try_into().unwrap(),
        rate: Rate::HUNDRED,
        max_gifts,
    };
    let gifts = |benefit| {
        let book = price(&cart(vec![rule(1, Phase::Line, benefit)])).unwrap();
        book.discount_total.minor()
    };
    // Five units: three rounds would need nine, one round needs three, and two are left over.
    assert_eq!(gifts(deal(2, 1, None)), 500);
    assert_eq!(gifts(deal(1, 1, None)), 1000);
    assert_eq!(gifts(deal(1, 1, Some(1))), 500);
    // One bought pays for up to four gifts, so four of the five are free.
    assert_eq!(gifts(deal(1, 9, None)), 3 * 500 + 1000);
    assert_eq!(
        rejected(&cart(vec![rule(1, Phase::Line, deal(7, 1, None))])),
        RejectReason::TooFewUnits { missing: 3 }
    );
    // The second deal finds what the first one left: five units less two bought and one given.
    let second = PromotionRule { priority: 1, ..rule(2, Phase::Line, deal(1, 1, None)) };
    let book = price(&cart(vec![second, rule(1, Phase::Line, deal(2, 1, None))])).unwrap();
    assert_eq!(book.discount_total.minor(), 833);
}

#[test]
fn an_amount_on_the_order_is_spread_by_what_is_left() {
    let book = price(&cart(vec![rule(1, Phase::Order, Benefit::FixedPerOrder(money(1001)))])).unwrap();
    let of = |number| book.line(line_id(number)).unwrap().discounts[0].amount.minor();
    assert_eq!((of(1), of(2)), (572, 429));
    let book = price(&cart(vec![rule(1, Phase::Order, Benefit::FixedPerOrder(money(999_999)))])).unwrap();
    assert_eq!((book.discount_total, book.total), (money(3500), money(0)));
}

#[test]
fn free_shipping_leaves_the_lines_alone() {
    let shipping = ShippingCharge {
        method: Label::new("post").unwrap(),
        amount: money(490),
        tax_class: TaxClass::Standard,
    };
    let free = rule(1, Phase::Shipping, Benefit::FreeShipping);
    let book = price(&PricingInput { shipping: Some(shipping), ..cart(vec![free]) }).unwrap();
    assert_eq!((book.discount_total, book.shipping_total, book.total), (money(0), money(0), money(3500)));
    assert_eq!(book.codes[0].outcome, Outcome::Applied { amount: money(490) });
}

#[test]
fn percentages_are_of_what_is_left() {
    let ten = |number, phase| PromotionRule {
        priority: i32::try_from(number).unwrap(),
        ..rule(number, phase, Benefit::Percent(Rate::parse("10").unwrap()))
    };
    let book = price(&cart(vec![half(Phase::Line), ten(2, Phase::Order), ten(3, Phase::Order)])).unwrap();
    let amounts: Vec<_> = amounts(&book).into_values().collect();
    let expected = [1750, 175, 158];
    assert!(expected.iter().all(|amount| amounts.contains(amount)), "{amounts:?}");
}

#[test]
fn what_is_due_at_a_boundary_is_given() {
    let applied = |rule: PromotionRule| {
        let book = price(&cart(vec![rule])).unwrap();
        matches!(book.codes[0].outcome, Outcome::Applied { .. })
    };
    assert!(applied(PromotionRule { from: Some(time(NOW)), ..half(Phase::Line) }), "it starts now");
    assert!(applied(PromotionRule { until: Some(time(NOW + 1)), ..half(Phase::Line) }), "it ends later");
    let at_least = |units| Conditions { min_quantity: Some(units), ..Conditions::default() };
    assert!(applied(PromotionRule { condition: at_least(5), ..half(Phase::Line) }), "as many as asked for");
    assert!(!applied(PromotionRule { condition: at_least(6), ..half(Phase::Line) }));
    let from = |minor| {
        let min_subtotal = Some(Threshold { amount: money(minor), after: TotalAfter::List });
        Conditions { min_subtotal, ..Conditions::default() }
    };
    assert!(applied(PromotionRule { condition: from(3500), ..half(Phase::Line) }), "as much as asked for");
    let short = rejected(&cart(vec![PromotionRule { condition: from(3501), ..half(Phase::Line) }]));
    assert_eq!(short, RejectReason::BelowThreshold { missing: money(1) });
}

#[test]
fn only_a_group_with_an_exclusive_member_excludes() {
    let outcome = |group: [Option<&str>; 2], exclusive: [bool; 2]| {
        let member = |number: u128, place: usize, coded: bool| PromotionRule {
            exclusive_group: group[place].map(|group| Label::new(group).unwrap()),
            exclusive: exclusive[place],
            code: coded.then(|| code(0)),
            priority: if coded { 0 } else { -1 },
            ..PromotionRule::new(promotion_id(number), Phase::Line, Benefit::FixedPerOrder(money(1)))
        };
        let book = price(&cart(vec![member(1, 0, false), member(2, 1, true)])).unwrap();
        matches!(book.codes[0].outcome, Outcome::Applied { .. })
    };
    assert!(outcome([Some("a"), Some("a")], [false, false]), "nobody wants to be alone");
    assert!(!outcome([Some("a"), Some("a")], [true, false]), "the first wants to be alone");
    assert!(!outcome([Some("a"), Some("a")], [false, true]), "the second wants to be alone");
    assert!(outcome([Some("a"), Some("b")], [true, true]), "they are in two groups");
    assert!(outcome([Some("a"), None], [true, true]), "one is in no group");
    assert!(!outcome([None, None], [true, false]), "both are in none, which is one too");
}

/// What line promotions left is not what earlier promotions of the order left.
#[test]
fn a_threshold_behind_line_promotions_ignores_those_of_the_order() {
    let min_subtotal = Some(Threshold { amount: money(3500), after: TotalAfter::LinePromotions });
    let condition = Conditions { min_subtotal, ..Conditions::default() };
    let first = PromotionRule { code: None, priority: -1, ..half(Phase::Order) };
    let second = rule(2, Phase::Order, Benefit::FixedPerOrder(money(100)));
    let third =
        PromotionRule { priority: 1, condition, ..rule(3, Phase::Order, Benefit::FixedPerOrder(money(7))) };
    let book = price(&cart(vec![first, second, third])).unwrap();
    assert_eq!(
        amounts(&book),
        BTreeMap::from([(promotion_id(1), 1750), (promotion_id(2), 100), (promotion_id(3), 7)])
    );
}

/// A percentage of a line is rounded for the line; one of the order once, and then spread.
#[test]
fn a_percentage_is_rounded_where_it_is_given() {
    let off = |phase| {
        let ten = rule(1, phase, Benefit::Percent(Rate::parse("10").unwrap()));
        let lines = (1..=3).map(|number| line(number, 1, "0.26")).collect();
        let book = price(&PricingInput { lines, ..cart(vec![ten]) }).unwrap();
        book.lines
            .iter()
            .map(|line| line.discounts.iter().map(|off| off.amount.minor()).sum::<i64>())
            .collect::<Vec<_>>()
    };
    assert_eq!(off(Phase::Line), [3, 3, 3]);
    let mut order = off(Phase::Order);
    order.sort_unstable();
    assert_eq!(order, [2, 3, 3]);
}

/// What is free already is neither bought nor given.
#[test]
fn lines_with_nothing_to_pay_take_no_part_in_a_deal() {
    let free = Conditions { products: vec![line_id(2).cast()], ..Conditions::default() };
    let all = Benefit::Percent(Rate::HUNDRED);
    let free = PromotionRule { code: None, priority: -1, condition: free, ..rule(1, Phase::Line, all) };
    let one = 1.try_into().unwrap();
    let deal = Benefit::BuyXGetY { buy: one, get: one, rate: Rate::HUNDRED, max_gifts: None };
    let book = price(&cart(vec![free, rule(2, Phase::Line, deal)])).unwrap();
    assert_eq!(amounts(&book), BTreeMap::from([(promotion_id(1), 1500), (promotion_id(2), 1000)]));
}
