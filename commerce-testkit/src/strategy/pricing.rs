//! Carts, promotions, taxes and rounding, as pricing takes them.
//!
//! Everything is drawn from small sets of names, so that promotions meet the lines that they are about, and
//! everything shrinks towards fewer and cheaper lines that are still a valid cart.
//!
//! ```
//! use commerce_core::pricing::price;
//! use commerce_testkit::strategy::pricing;
//! use proptest::prelude::*;
//!
//! proptest!(|(cart in pricing::input())| {
//!     let book = price(&cart).unwrap();
//!     prop_assert_eq!(book.lines.len(), cart.lines.len());
//! });
//! ```
#![allow(clippy::unwrap_used, reason = "the texts of this module are valid, which its properties show")]

use std::num::NonZeroU32;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, prop_oneof};
use uuid::Uuid;

use commerce_core::value::id::{CategoryId, PromotionId};
use commerce_core::value::time::Timestamp;
use commerce_core::value::{
    Benefit, Conditions, Currency, Fee, Label, LineRef, Money, Phase, Price, PriceRequestLine, PricingInput,
    PromotionCode, PromotionRule, Quantity, Rate, RejectReason, RoundingLevel, RoundingMode, RoundingPolicy,
    ShippingCharge, Sku, TaxClass, TaxMode, TaxRate, Threshold, TotalAfter,
};

/// The currency of all amounts.
pub const CURRENCY: Currency = Currency::EUR;
/// When it is priced, in microseconds since 1970.
pub const NOW: i64 = 100;

/// An amount in minor units.
pub fn money(minor: i64) -> Money {
    Money::from_minor(minor, CURRENCY)
}

/// A time in microseconds since 1970.
///
/// # Panics
///
/// Outside the years that a timestamp can hold.
pub fn time(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).unwrap()
}

/// The id of the line with this number.
pub fn line_id(number: u128) -> LineRef {
    LineRef::derived(Uuid::from_u128(1), &number.to_be_bytes())
}

/// The id of the promotion with this number.
pub fn promotion_id(number: u128) -> PromotionId {
    PromotionId::derived(Uuid::from_u128(2), &number.to_be_bytes())
}

/// The category with this number.
pub fn category(number: u128) -> CategoryId {
    CategoryId::derived(Uuid::from_u128(3), &number.to_be_bytes())
}

/// A line of so many units at a price in decimal digits, of one of four SKUs and three categories.
///
/// # Panics
///
/// Without units, or where the digits are no price.
pub fn line(number: u128, units: u32, price: &str) -> PriceRequestLine {
    PriceRequestLine {
        line: line_id(number),
        product: line_id(number).cast(),
        variant: line_id(number).cast(),
        sku: Sku::new(&format!("S{}", number % 4)).unwrap(),
        categories: vec![category(number % 3)],
        quantity: Quantity::new(units).unwrap(),
        unit_price: Price::parse(price, CURRENCY).unwrap(),
        taxable: TaxClass::Standard,
        shippable: true,
    }
}

/// A label of this module's own, which is valid.
fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

fn rate() -> impl Strategy<Value = Rate> {
    prop_oneof![
        1 => Just(Rate::ZERO),
        1 => Just(Rate::HUNDRED),
        6 => (0..=10_000_u32).prop_map(|n| Rate::parse(&format!("{}.{:02}", n / 100, n % 100)).unwrap()),
    ]
}

fn class() -> impl Strategy<Value = TaxClass> {
    prop_oneof![
        3 => Just(TaxClass::Standard),
        2 => Just(TaxClass::Reduced),
        1 => Just(TaxClass::Zero),
        1 => Just(TaxClass::Custom(label("books"))),
    ]
}

/// Up to eight lines, free ones and very dear ones among them.
pub fn lines() -> impl Strategy<Value = Vec<PriceRequestLine>> {
    let price =
        prop_oneof![1 => Just(0_i64), 3 => 1..500_i64, 3 => 1..20_000_000_i64, 1 => 0..90_000_000_000_i64];
    vec((1..9_u32, price, class()), 0..9).prop_map(|lines| {
        let number = |(index, (units, micros, taxable)): (usize, (u32, i64, TaxClass))| {
            let price = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
            PriceRequestLine { taxable, ..line(index as u128, units, &price) }
        };
        lines.into_iter().enumerate().map(number).collect()
    })
}

fn benefit() -> impl Strategy<Value = Benefit> {
    let count = || (1..4_u32).prop_map(|n| NonZeroU32::new(n).unwrap());
    prop_oneof![
        4 => rate().prop_map(Benefit::Percent),
        3 => (-3..3000_i64).prop_map(|n| Benefit::FixedPerOrder(money(n))),
        2 => (-3..300_i64).prop_map(|n| Benefit::FixedPerUnit(money(n))),
        4 => (count(), count(), rate(), option::of(0..4_u32))
            .prop_map(|(buy, get, rate, max_gifts)| Benefit::BuyXGetY { buy, get, rate, max_gifts }),
        2 => Just(Benefit::FreeShipping),
    ]
}

fn condition() -> impl Strategy<Value = Conditions> {
    let after = prop_oneof![
        Just(TotalAfter::List),
        Just(TotalAfter::LinePromotions),
        Just(TotalAfter::OrderPromotions)
    ];
    let threshold =
        (0..3000_i64, after).prop_map(|(amount, after)| Threshold { amount: money(amount), after });
    let skus = prop_oneof![3 => Just(vec![]), 1 => vec((0..4_u8).prop_map(|n| Sku::new(&format!("S{n}")).unwrap()), 1..3)];
    let categories = prop_oneof![4 => Just(vec![]), 1 => vec((0..3_u128).prop_map(category), 1..3)];
    (option::weighted(0.2, threshold), option::weighted(0.2, 0..20_u32), skus, categories).prop_map(
        |(min_subtotal, min_quantity, skus, categories)| Conditions {
            min_subtotal,
            min_quantity,
            skus,
            categories,
            products: vec![],
        },
    )
}

fn phase() -> impl Strategy<Value = Phase> {
    prop_oneof![Just(Phase::Line), Just(Phase::Order), Just(Phase::Shipping)]
}

/// The code with this number.
///
/// # Panics
///
/// Never: every number makes a valid code.
pub fn code(number: u8) -> PromotionCode {
    PromotionCode::new(&format!("code{number}")).unwrap()
}

fn rule() -> impl Strategy<Value = PromotionRule> {
    let window = (option::weighted(0.3, 90..110_i64), option::weighted(0.3, 90..110_i64));
    let currency = option::weighted(0.2, prop_oneof![3 => Just(CURRENCY), 1 => Just(Currency::JPY)]);
    let group = (option::weighted(0.4, 0..2_u8), proptest::bool::weighted(0.3));
    let withheld = option::weighted(0.05, Just(RejectReason::Exhausted));
    let head = (phase(), -1..2_i32, option::weighted(0.4, 0..3_u8), group);
    (head, (window, currency, withheld), condition(), benefit()).prop_map(
        |(
            (phase, priority, code_number, (group, exclusive)),
            ((from, until), currency, withheld),
            condition,
            benefit,
        )| {
            PromotionRule {
                priority,
                code: code_number.map(code),
                exclusive_group: group.map(|n| label(&format!("group {n}"))),
                exclusive,
                from: from.map(time),
                until: until.map(time),
                currency,
                withheld,
                condition,
                ..PromotionRule::new(promotion_id(0), phase, benefit)
            }
        },
    )
}

/// Up to seven promotions of every phase and benefit, some of them not in force.
pub fn promotions() -> impl Strategy<Value = Vec<PromotionRule>> {
    vec(rule(), 0..8).prop_map(|mut rules| {
        for (number, rule) in rules.iter_mut().enumerate() {
            rule.promotion = promotion_id(number as u128);
        }
        rules
    })
}

/// Up to five taxes of all classes.
pub fn tax_rates() -> impl Strategy<Value = Vec<TaxRate>> {
    vec((0..5_u8, class(), rate()), 0..6).prop_map(|rates| {
        let named = |(name, class, rate): (u8, TaxClass, Rate)| TaxRate {
            name: label(&format!("tax {name}")),
            class,
            rate,
        };
        rates.into_iter().map(named).collect()
    })
}

/// Any way to round.
pub fn policy() -> impl Strategy<Value = RoundingPolicy> {
    let mode = prop_oneof![
        Just(RoundingMode::HalfEven),
        Just(RoundingMode::HalfUp),
        Just(RoundingMode::HalfDown),
        Just(RoundingMode::Up),
        Just(RoundingMode::Down)
    ];
    let level = prop_oneof![Just(RoundingLevel::Unit), Just(RoundingLevel::Line), Just(RoundingLevel::Order)];
    (mode, level).prop_map(|(mode, level)| RoundingPolicy { mode, level })
}

/// Any input that pricing accepts.
pub fn input() -> impl Strategy<Value = PricingInput> {
    let charge = || (prop_oneof![Just(0_i64), 1..2000_i64], class());
    let taxes = (tax_rates(), prop_oneof![Just(TaxMode::Exclusive), Just(TaxMode::Inclusive)], policy());
    let codes = vec((0..4_u8).prop_map(code), 0..4);
    (lines(), promotions(), codes, option::weighted(0.7, charge()), vec(charge(), 0..3), taxes).prop_map(
        |(lines, promotions, requested_codes, shipping, fees, (tax_rates, tax_mode, rounding))| {
            PricingInput {
                lines,
                promotions,
                requested_codes,
                shipping: shipping.map(|(amount, tax_class)| ShippingCharge {
                    method: label("post"),
                    amount: money(amount),
                    tax_class,
                }),
                fees: fees
                    .into_iter()
                    .map(|(amount, tax_class)| Fee {
                        name: label("gift wrap"),
                        amount: money(amount),
                        tax_class,
                    })
                    .collect(),
                tax_rates,
                tax_mode,
                rounding,
                ..PricingInput::new(CURRENCY, time(NOW))
            }
        },
    )
}

/// What a careless or hostile caller hands in: an input with one thing wrong with it, or too much of
/// something. Pricing may refuse it, and may not do anything worse.
pub fn hostile() -> impl Strategy<Value = PricingInput> {
    let amount = || prop_oneof![Just(i64::MAX), Just(i64::MIN), Just(-1_i64), Just(i64::MAX / 2)];
    (input(), 0..9_u8, amount(), 0..8_usize).prop_map(|(mut input, kind, amount, place)| {
        let dear = Price::from_micros(amount.saturating_abs(), CURRENCY);
        let place = place.checked_rem(input.lines.len()).unwrap_or(0);
        let line = input.lines.get_mut(place);
        match (kind, line) {
            (0, Some(line)) => line.unit_price = dear.unwrap_or(line.unit_price),
            (1, Some(line)) => line.quantity = Quantity::new(u32::MAX).unwrap_or(line.quantity),
            (2, Some(line)) => line.unit_price = Price::zero(Currency::JPY),
            (3, Some(line)) => {
                let twin = line.clone();
                input.lines.push(twin);
            }
            (4, _) => input.fees.push(Fee {
                name: label("fee"),
                amount: money(amount),
                tax_class: TaxClass::Standard,
            }),
            (5, _) => {
                input.shipping = Some(ShippingCharge {
                    method: label("post"),
                    amount: Money::from_minor(amount, Currency::JPY),
                    tax_class: TaxClass::Standard,
                });
            }
            (6, _) => {
                let benefit = Benefit::FixedPerOrder(money(amount));
                input.promotions.push(PromotionRule::new(promotion_id(99), Phase::Order, benefit));
            }
            (7, _) => {
                let benefit = Benefit::FixedPerUnit(Money::from_minor(amount, Currency::JPY));
                input.promotions.push(PromotionRule::new(promotion_id(0), Phase::Line, benefit));
            }
            _ => {
                let max = NonZeroU32::MAX;
                let benefit = Benefit::BuyXGetY { buy: max, get: max, rate: Rate::HUNDRED, max_gifts: None };
                input.promotions.push(PromotionRule::new(promotion_id(98), Phase::Line, benefit));
            }
        }
        input
    })
}
