//! Taxes on what is left of lines, shipping and fees.

use std::collections::BTreeMap;

use super::cart::Cart;
use super::error::PricingError;
use crate::value::{
    Label, LineRef, Money, MoneyError, PricingInput, Rate, RoundingLevel, TaxClass, TaxLine, TaxMode,
    TaxRate, allocate, div_round,
};

/// The taxes of every line, then of shipping, then of every fee.
pub(super) struct Taxes {
    pub(super) of_items: Vec<Vec<TaxLine>>,
    /// Classes for which there is no rate.
    pub(super) untaxed: Vec<TaxClass>,
}

/// Breaks ties between equal remainders, whatever the order of the input.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key<'a> {
    Line(LineRef),
    Shipping,
    Fee(&'a Label, usize),
}

struct Item<'a> {
    key: Key<'a>,
    class: &'a TaxClass,
    base: i64,
    units: u32,
}

/// One tax class: its items, its rates, and what their tax lines go into.
struct Class<'a> {
    input: &'a PricingInput,
    items: &'a [Item<'a>],
    members: Vec<usize>,
    rates: Vec<&'a TaxRate>,
}

pub(super) fn levy(cart: &Cart<'_>) -> Result<Taxes, PricingError> {
    let input = cart.input;
    let items = items(cart);
    let mut rates: Vec<&TaxRate> = input.tax_rates.iter().collect();
    rates.sort_by(|a, b| (&a.class, &a.name, a.rate).cmp(&(&b.class, &b.name, b.rate)));
    let mut classes: BTreeMap<&TaxClass, Vec<usize>> = BTreeMap::new();
    for (index, item) in items.iter().enumerate() {
        classes.entry(item.class).or_default().push(index);
    }
    let mut taxes = Taxes { of_items: vec![Vec::new(); items.len()], untaxed: Vec::new() };
    for (class, members) in classes {
        let rates: Vec<_> = rates.iter().copied().filter(|rate| rate.class == *class).collect();
        if rates.is_empty() {
            taxes.untaxed.push(class.clone());
            continue;
        }
        let class = Class { input, items: &items, members, rates };
        match (input.tax_mode, input.rounding.level) {
            (TaxMode::Exclusive, RoundingLevel::Order) => class.on_top_of_order(&mut taxes.of_items),
            (TaxMode::Exclusive, _) => class.on_top_of_each(&mut taxes.of_items),
            (TaxMode::Inclusive, RoundingLevel::Order) => class.inside_order(&mut taxes.of_items),
            (TaxMode::Inclusive, _) => class.inside_each(&mut taxes.of_items),
        }?;
    }
    Ok(taxes)
}

fn items<'a>(cart: &Cart<'a>) -> Vec<Item<'a>> {
    let input = cart.input;
    let lines = input.lines.iter().zip(&cart.left).map(|(line, left)| Item {
        key: Key::Line(line.line),
        class: &line.taxable,
        base: *left,
        units: line.quantity.get(),
    });
    let shipping = input.shipping.iter().map(|shipping| Item {
        key: Key::Shipping,
        class: &shipping.tax_class,
        base: cart.shipping_left,
        units: 1,
    });
    let fees = input.fees.iter().enumerate().map(|(index, fee)| Item {
        key: Key::Fee(&fee.name, index),
        class: &fee.tax_class,
        base: fee.amount.minor(),
        units: 1,
    });
    lines.chain(shipping).chain(fees).collect()
}

impl Class<'_> {
    fn each(&self) -> impl Iterator<Item = (usize, &Item<'_>)> {
        self.members.iter().filter_map(|index| self.items.get(*index).map(|item| (*index, item)))
    }

    fn base(&self) -> i128 {
        self.each().map(|(_, item)| i128::from(item.base)).sum()
    }

    fn money(&self, minor: i64) -> Money {
        Money::from_minor(minor, self.input.currency)
    }

    /// `base × part / whole`, rounded for one of `units` and multiplied again.
    fn portion(&self, base: i128, part: i128, whole: i128, units: u32) -> Result<i64, MoneyError> {
        let units = i128::from(units);
        let numerator = base.checked_mul(part);
        numerator
            .zip(whole.checked_mul(units))
            .and_then(|(numerator, whole)| div_round(numerator, whole, self.input.rounding.mode))
            .and_then(|tax| i64::try_from(tax.checked_mul(units)?).ok())
            .ok_or(MoneyError::Overflow)
    }

    /// How many units share one rounding.
    fn units(&self, item: &Item<'_>) -> u32 {
        if self.input.rounding.level == RoundingLevel::Unit { item.units } else { 1 }
    }

    fn push(&self, out: &mut [Vec<TaxLine>], index: usize, rate: &TaxRate, minor: i64) {
        if let Some(taxes) = out.get_mut(index) {
            taxes.push(TaxLine { name: rate.name.clone(), rate: rate.rate, amount: self.money(minor) });
        }
    }

    fn on_top_of_each(&self, out: &mut [Vec<TaxLine>]) -> Result<(), MoneyError> {
        for (index, item) in self.each() {
            for rate in &self.rates {
                let (part, units) = (i128::from(rate.rate.micros()), self.units(item));
                let tax = self.portion(i128::from(item.base), part, whole(), units)?;
                self.push(out, index, rate, tax);
            }
        }
        Ok(())
    }

    fn on_top_of_order(&self, out: &mut [Vec<TaxLine>]) -> Result<(), MoneyError> {
        let weights: Vec<_> = self.each().map(|(_, item)| (item.key, item.base.unsigned_abs())).collect();
        for rate in &self.rates {
            let tax = self.portion(self.base(), i128::from(rate.rate.micros()), whole(), 1)?;
            for (index, part) in self.members.iter().zip(self.split(tax, &weights)) {
                self.push(out, *index, rate, part);
            }
        }
        Ok(())
    }

    /// All rates together, in millionths of a percent.
    fn rate_sum(&self) -> i128 {
        self.rates.iter().map(|rate| i128::from(rate.rate.micros())).sum()
    }

    fn rate_weights(&self) -> Vec<(usize, u64)> {
        self.rates.iter().enumerate().map(|(index, rate)| (index, u64::from(rate.rate.micros()))).collect()
    }

    fn inside_each(&self, out: &mut [Vec<TaxLine>]) -> Result<(), MoneyError> {
        let (sum, weights) = (self.rate_sum(), self.rate_weights());
        for (index, item) in self.each() {
            let tax = self.portion(i128::from(item.base), sum, whole() + sum, self.units(item))?;
            // Rounding up per unit could exceed a base of less than a coin per unit.
            let tax = tax.min(item.base);
            if let [rate] = self.rates.as_slice() {
                self.push(out, index, rate, tax);
                continue;
            }
            for (rate, part) in self.rates.iter().zip(self.split(tax, &weights)) {
                self.push(out, index, rate, part);
            }
        }
        Ok(())
    }

    /// Rounds once, then fills a table whose columns are rates and whose rows are items: each column is
    /// allocated by what is left of the rows, so that rows and columns add up and no cell is negative.
    fn inside_order(&self, out: &mut [Vec<TaxLine>]) -> Result<(), MoneyError> {
        let sum = self.rate_sum();
        let tax = self.portion(self.base(), sum, whole() + sum, 1)?;
        let weights: Vec<_> = self.each().map(|(_, item)| (item.key, item.base.unsigned_abs())).collect();
        let rows = self.split(tax, &weights);
        let mut rows: Vec<_> =
            self.each().zip(rows).map(|((_, item), row)| (item.key, row.unsigned_abs())).collect();
        for (rate, column) in self.rates.iter().zip(self.split(tax, &self.rate_weights())) {
            let cells = self.split(column, &rows);
            for ((index, row), cell) in self.members.iter().zip(&mut rows).zip(cells) {
                row.1 = row.1.saturating_sub(cell.unsigned_abs());
                self.push(out, *index, rate, cell);
            }
        }
        Ok(())
    }

    /// Allocates an amount; when there is no weight there is no amount either.
    fn split<K: Ord>(&self, minor: i64, weights: &[(K, u64)]) -> Vec<i64> {
        match allocate(self.money(minor), weights) {
            Ok(parts) => parts.into_iter().map(Money::minor).collect(),
            Err(_) => vec![0; weights.len()],
        }
    }
}

fn whole() -> i128 {
    i128::from(Rate::HUNDRED.micros())
}
