//! Which promotions apply, and what they take off.

use super::cart::{Cart, Cut, fraction};
use super::error::PricingError;
use super::gift;
use crate::value::id::PromotionId;
use crate::value::{
    Benefit, Conditions, DiscountReason, Label, Money, Outcome, Phase, PriceRequestLine, PricingInput,
    PromotionRule, Rate, RejectReason, TotalAfter, allocate,
};

/// A promotion that was tried.
pub(super) struct Tried<'a> {
    pub(super) rule: &'a PromotionRule,
    pub(super) outcome: Outcome,
}

/// Applies all promotions in their total order.
pub(super) fn run<'a>(cart: &mut Cart<'a>) -> Result<Vec<Tried<'a>>, PricingError> {
    let mut tried = Vec::new();
    let mut applied = Vec::new();
    let mut matching = Vec::new();
    for rule in in_order(cart.input)? {
        cart.enter(rule.phase);
        let outcome = match attempt(cart, rule, &applied, &mut matching) {
            Ok(amount) => {
                let group = rule.exclusive_group.as_ref();
                applied.push(Applied { group, promotion: rule.promotion, exclusive: rule.exclusive });
                Outcome::Applied { amount: Money::from_minor(amount, cart.input.currency) }
            }
            Err(reason) => Outcome::Rejected { reason },
        };
        tried.push(Tried { rule, outcome });
    }
    Ok(tried)
}

/// A promotion that gave something, as the exclusivity of its group sees it.
struct Applied<'a> {
    group: Option<&'a Label>,
    promotion: PromotionId,
    exclusive: bool,
}

fn in_order(input: &PricingInput) -> Result<Vec<&PromotionRule>, PricingError> {
    let mut seen: Vec<_> = input.promotions.iter().map(|rule| (rule.promotion, rule.phase)).collect();
    seen.sort_unstable();
    if let Some(((promotion, phase), _)) =
        seen.iter().zip(seen.iter().skip(1)).find(|(one, next)| one == next)
    {
        return Err(PricingError::DuplicatePromotion { promotion: *promotion, phase: *phase });
    }
    let mut requested: Vec<_> = input.requested_codes.iter().collect();
    requested.sort_unstable();
    let wanted =
        |rule: &&PromotionRule| rule.code.as_ref().is_none_or(|code| requested.binary_search(&code).is_ok());
    let mut rules: Vec<_> = input.promotions.iter().filter(wanted).collect();
    rules.sort_unstable_by(|a, b| {
        (a.phase, a.priority, &a.code, a.promotion).cmp(&(b.phase, b.priority, &b.code, b.promotion))
    });
    Ok(rules)
}

/// Applies one promotion; gives what it takes off in all, or why it takes nothing off.
fn attempt(
    cart: &mut Cart<'_>,
    rule: &PromotionRule,
    applied: &[Applied<'_>],
    matching: &mut Vec<usize>,
) -> Result<i64, RejectReason> {
    check_rule(cart.input, rule)?;
    check_group(rule, applied)?;
    if rule.phase == Phase::Shipping && cart.input.shipping.is_none() {
        return Err(RejectReason::NoShipping);
    }
    match_lines(cart.input, &rule.condition, matching);
    check_amounts(cart, &rule.condition, matching)?;
    let amount = match rule.phase {
        Phase::Shipping => off_shipping(cart, rule),
        Phase::Line | Phase::Order => off_lines(cart, rule, matching)?,
    };
    if amount == 0 { Err(RejectReason::NothingToDiscount) } else { Ok(amount) }
}

/// What does not depend on the cart: state, time, currency, sense.
fn check_rule(input: &PricingInput, rule: &PromotionRule) -> Result<(), RejectReason> {
    if let Some(reason) = rule.withheld {
        return Err(reason);
    }
    if rule.from.is_some_and(|from| input.now < from) {
        return Err(RejectReason::NotStarted);
    }
    if rule.until.is_some_and(|until| input.now >= until) {
        return Err(RejectReason::Ended);
    }
    let threshold = rule.condition.min_subtotal;
    let fixed = match rule.benefit {
        Benefit::FixedPerOrder(amount) | Benefit::FixedPerUnit(amount) => Some(amount),
        Benefit::Percent(_) | Benefit::BuyXGetY { .. } | Benefit::FreeShipping => None,
    };
    let amounts = [threshold.map(|threshold| threshold.amount), fixed];
    let mut currencies = amounts.iter().flatten().map(|amount| amount.currency()).chain(rule.currency);
    if currencies.any(|currency| currency != input.currency) {
        return Err(RejectReason::CurrencyMismatch);
    }
    let known = match rule.phase {
        Phase::Line => TotalAfter::List,
        Phase::Order => TotalAfter::LinePromotions,
        Phase::Shipping => TotalAfter::OrderPromotions,
    };
    let fits = match rule.benefit {
        Benefit::Percent(_) | Benefit::FixedPerOrder(_) => true,
        Benefit::FixedPerUnit(_) | Benefit::BuyXGetY { .. } => rule.phase != Phase::Shipping,
        Benefit::FreeShipping => rule.phase == Phase::Shipping,
    };
    let negative = amounts.iter().flatten().any(|amount| amount.is_negative());
    if !fits || negative || threshold.is_some_and(|threshold| threshold.after > known) {
        return Err(RejectReason::NotApplicable);
    }
    Ok(())
}

fn check_group(rule: &PromotionRule, applied: &[Applied<'_>]) -> Result<(), RejectReason> {
    let group = rule.exclusive_group.as_ref();
    let other = applied.iter().find(|other| {
        other.group == group && other.promotion != rule.promotion && (other.exclusive || rule.exclusive)
    });
    other.map_or(Ok(()), |other| Err(RejectReason::Excluded { by: other.promotion }))
}

fn match_lines(input: &PricingInput, condition: &Conditions, matching: &mut Vec<usize>) {
    fn sorted<T: Ord>(all: &[T]) -> Vec<&T> {
        let mut sorted: Vec<_> = all.iter().collect();
        sorted.sort_unstable();
        sorted
    }
    let (skus, products) = (sorted(&condition.skus), sorted(&condition.products));
    let categories = sorted(&condition.categories);
    let matches = |line: &PriceRequestLine| {
        (skus.is_empty() || skus.binary_search(&&line.sku).is_ok())
            && (products.is_empty() || products.binary_search(&&line.product).is_ok())
            && (categories.is_empty()
                || line.categories.iter().any(|category| categories.binary_search(&category).is_ok()))
    };
    matching.clear();
    matching.extend(input.lines.iter().enumerate().filter(|(_, line)| matches(line)).map(|(index, _)| index));
}

fn check_amounts(cart: &Cart<'_>, condition: &Conditions, matching: &[usize]) -> Result<(), RejectReason> {
    if matching.is_empty() {
        return Err(RejectReason::NoMatchingLine);
    }
    if let Some(least) = condition.min_quantity {
        let units: u64 = matching.iter().map(|line| u64::from(units_of(cart, *line))).sum();
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        if units < least {
            return Err(RejectReason::TooFewUnits { missing: least.saturating_sub(units) });
        }
    }
    if let Some(threshold) = condition.min_subtotal {
        let amounts = cart.total_after(threshold.after);
        // Sums of line amounts fit: the sum of all list amounts does.
        let total: i64 = matching.iter().filter_map(|line| amounts.get(*line)).sum();
        let missing = threshold.amount.minor().saturating_sub(total);
        if missing > 0 {
            let missing = Money::from_minor(missing, cart.input.currency);
            return Err(RejectReason::BelowThreshold { missing });
        }
    }
    Ok(())
}

pub(super) fn units_of(cart: &Cart<'_>, line: usize) -> u32 {
    cart.input.lines.get(line).map_or(0, |line| line.quantity.get())
}

fn off_shipping(cart: &mut Cart<'_>, rule: &PromotionRule) -> i64 {
    let left = cart.shipping_left;
    match rule.benefit {
        Benefit::Percent(rate) => {
            cart.take_shipping(rule, percent(cart, left, rate), DiscountReason::Percent(rate))
        }
        Benefit::FixedPerOrder(amount) => {
            cart.take_shipping(rule, amount.minor(), DiscountReason::FixedPerOrder)
        }
        Benefit::FreeShipping => cart.take_shipping(rule, left, DiscountReason::FreeShipping),
        Benefit::FixedPerUnit(_) | Benefit::BuyXGetY { .. } => 0,
    }
}

fn off_lines(cart: &mut Cart<'_>, rule: &PromotionRule, matching: &[usize]) -> Result<i64, RejectReason> {
    let each = |cart: &Cart<'_>, reason, amount: &dyn Fn(usize) -> i64| -> Vec<Cut> {
        let open = matching.iter().copied().filter(|line| cart.left_of(*line) > 0);
        open.map(|line| Cut { line, amount: amount(line), reason }).collect()
    };
    let cuts = match rule.benefit {
        Benefit::Percent(rate) if rule.phase == Phase::Line => {
            each(cart, DiscountReason::Percent(rate), &|line| percent(cart, cart.left_of(line), rate))
        }
        Benefit::Percent(rate) => {
            let amount = percent(cart, pool(cart, matching), rate);
            spread(cart, matching, amount, DiscountReason::Percent(rate))
        }
        Benefit::FixedPerOrder(amount) => {
            spread(cart, matching, amount.minor(), DiscountReason::FixedPerOrder)
        }
        Benefit::FixedPerUnit(amount) => each(cart, DiscountReason::FixedPerUnit, &|line| {
            amount.minor().saturating_mul(i64::from(units_of(cart, line)))
        }),
        Benefit::BuyXGetY { buy, get, rate, max_gifts } => {
            return gift::give(cart, rule, matching, &gift::Deal { buy, get, rate, max_gifts });
        }
        Benefit::FreeShipping => Vec::new(),
    };
    Ok(cart.take(rule, &cuts))
}

fn percent(cart: &Cart<'_>, amount: i64, rate: Rate) -> i64 {
    let whole = i128::from(Rate::HUNDRED.micros());
    fraction(amount, i128::from(rate.micros()), whole, cart.input.rounding.mode)
}

fn pool(cart: &Cart<'_>, matching: &[usize]) -> i64 {
    matching.iter().map(|line| cart.left_of(*line)).sum()
}

/// Spreads an amount, at most what is left of the lines, by what is left of each.
fn spread(cart: &Cart<'_>, matching: &[usize], amount: i64, reason: DiscountReason) -> Vec<Cut> {
    let amount = Money::from_minor(amount.min(pool(cart, matching)), cart.input.currency);
    let weight = |line: &usize| {
        let id = cart.input.lines.get(*line).map(|line| line.line);
        (id, cart.left_of(*line).unsigned_abs())
    };
    let weights: Vec<_> = matching.iter().map(weight).collect();
    // Nothing to spread over is nothing to discount.
    let parts = allocate(amount, &weights).unwrap_or_default();
    matching.iter().zip(parts).map(|(line, part)| Cut { line: *line, amount: part.minor(), reason }).collect()
}
