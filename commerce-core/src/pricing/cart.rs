//! The cart while it is priced: what is left to pay of each line.

use super::error::PricingError;
use crate::value::{
    Currency, DiscountReason, LineDiscount, Money, MoneyError, Phase, PricingInput, PromotionRule,
    RoundingMode, TotalAfter, div_round,
};

/// Amounts are minor units of the input's currency; the vectors run parallel to its lines.
pub(super) struct Cart<'a> {
    pub(super) input: &'a PricingInput,
    pub(super) list: Vec<i64>,
    pub(super) left: Vec<i64>,
    pub(super) discounts: Vec<Vec<LineDiscount>>,
    /// Units that a buy-X-get-Y promotion has counted, as bought or as gift.
    pub(super) counted: Vec<u32>,
    pub(super) shipping_left: i64,
    pub(super) shipping_discounts: Vec<LineDiscount>,
    /// What was left of each line when the order phase began.
    after_lines: Option<Vec<i64>>,
}

/// What a promotion takes off one line.
pub(super) struct Cut {
    pub(super) line: usize,
    pub(super) amount: i64,
    pub(super) reason: DiscountReason,
}

impl<'a> Cart<'a> {
    pub(super) fn at_list_prices(input: &'a PricingInput) -> Result<Self, PricingError> {
        check_lines(input)?;
        check_charges(input)?;
        let mut list = Vec::with_capacity(input.lines.len());
        let mut sum = Money::zero(input.currency);
        for line in &input.lines {
            let amount = line.unit_price.extend(line.quantity, input.rounding.mode)?;
            // Also the guard for currency and range: no later sum of line amounts exceeds this one.
            sum = sum.checked_add(amount)?;
            list.push(amount.minor());
        }
        Ok(Self {
            input,
            left: list.clone(),
            discounts: vec![Vec::new(); list.len()],
            counted: vec![0; list.len()],
            list,
            shipping_left: input.shipping.as_ref().map_or(0, |shipping| shipping.amount.minor()),
            shipping_discounts: Vec::new(),
            after_lines: None,
        })
    }

    /// Called with the phase of each promotion before it acts; phases only go forward.
    pub(super) fn enter(&mut self, phase: Phase) {
        if phase > Phase::Line && self.after_lines.is_none() {
            self.after_lines = Some(self.left.clone());
        }
    }

    /// What is left of every line after a step that is over.
    pub(super) fn total_after(&self, step: TotalAfter) -> &[i64] {
        match step {
            TotalAfter::List => &self.list,
            TotalAfter::LinePromotions => self.after_lines.as_deref().unwrap_or(&self.left),
            TotalAfter::OrderPromotions => &self.left,
        }
    }

    pub(super) fn left_of(&self, line: usize) -> i64 {
        self.left.get(line).copied().unwrap_or(0)
    }

    /// Takes the cuts off the lines and returns their sum.
    pub(super) fn take(&mut self, rule: &PromotionRule, cuts: &[Cut]) -> i64 {
        let mut sum = 0_i64;
        for cut in cuts {
            let (Some(left), Some(discounts)) =
                (self.left.get_mut(cut.line), self.discounts.get_mut(cut.line))
            else {
                continue;
            };
            let amount = cut.amount.clamp(0, *left);
            if amount > 0 {
                *left -= amount;
                sum = sum.saturating_add(amount);
                discounts.push(discount(rule, amount, cut.reason, self.input.currency));
            }
        }
        sum
    }

    /// Takes an amount off shipping and returns what was taken.
    pub(super) fn take_shipping(&mut self, rule: &PromotionRule, amount: i64, reason: DiscountReason) -> i64 {
        let amount = amount.clamp(0, self.shipping_left);
        if amount > 0 {
            self.shipping_left -= amount;
            self.shipping_discounts.push(discount(rule, amount, reason, self.input.currency));
        }
        amount
    }
}

fn discount(rule: &PromotionRule, amount: i64, reason: DiscountReason, currency: Currency) -> LineDiscount {
    LineDiscount {
        promotion: rule.promotion,
        version: rule.version,
        code: rule.code.clone(),
        amount: Money::from_minor(amount, currency),
        reason,
    }
}

/// A fraction, at most the whole, of an amount that is not negative.
pub(super) fn fraction(amount: i64, numerator: i128, denominator: i128, mode: RoundingMode) -> i64 {
    div_round(i128::from(amount).saturating_mul(numerator), denominator, mode)
        .and_then(|part| i64::try_from(part).ok())
        .map_or(0, |part| part.clamp(0, amount))
}

fn check_lines(input: &PricingInput) -> Result<(), PricingError> {
    let mut ids: Vec<_> = input.lines.iter().map(|line| line.line).collect();
    ids.sort_unstable();
    match ids.iter().zip(ids.iter().skip(1)).find(|(one, next)| one == next) {
        Some((line, _)) => Err(PricingError::DuplicateLine { line: *line }),
        None => Ok(()),
    }
}

fn check_charges(input: &PricingInput) -> Result<(), PricingError> {
    let shipping = input.shipping.iter().map(|shipping| shipping.amount);
    for amount in shipping.chain(input.fees.iter().map(|fee| fee.amount)) {
        if amount.currency() != input.currency {
            let (left, right) = (input.currency, amount.currency());
            return Err(MoneyError::CurrencyMismatch { left, right }.into());
        }
        if amount.is_negative() {
            return Err(PricingError::NegativeCharge);
        }
    }
    Ok(())
}
