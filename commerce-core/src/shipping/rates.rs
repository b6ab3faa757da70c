//! What it costs to send: pure functions of methods and what is sent.

use std::cmp::Ordering;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::RateError;
use crate::value::shipping::{Measure, RateRule, ShippingMethod};
use crate::value::time::Timestamp;
use crate::value::{Code, Country, Label, Money};

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateBasis {
    /// Where to.
    pub country: Country,
    /// What it is worth; gives the currency of the quotes.
    pub subtotal: Money,
    /// How many units.
    pub quantity: u64,
}

/// What a method costs, until a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateQuote {
    /// The method.
    pub method: Code,
    /// Its name, for the buyer.
    pub label: Label,
    /// The price.
    pub price: Money,
    /// How many days it takes at most, where that is known.
    pub days: Option<u16>,
    /// The first moment at which it is not charged any more.
    pub expires_at: Timestamp,
}

impl RateQuote {
    /// The price to charge.
    ///
    /// # Errors
    ///
    /// [`RateError::Expired`].
    pub fn charge(&self, now: Timestamp) -> Result<Money, RateError> {
        if now < self.expires_at { Ok(self.price) } else { Err(RateError::Expired { at: self.expires_at }) }
    }

    /// Cheaper first, then faster, then by code.
    pub(crate) fn by_price(&self, other: &Self) -> Ordering {
        let key = |quote: &Self| (quote.price.minor(), quote.days.unwrap_or(u16::MAX));
        key(self).cmp(&key(other)).then_with(|| self.method.cmp(&other.method))
    }

    /// Faster first, then cheaper, then by code; unknown durations last.
    fn by_days(&self, other: &Self) -> Ordering {
        let key = |quote: &Self| (quote.days.map_or(u32::MAX, u32::from), quote.price.minor());
        key(self).cmp(&key(other)).then_with(|| self.method.cmp(&other.method))
    }
}

/// Prices every method that serves the country, cheapest first.
///
/// # Errors
///
/// [`RateError::Undeliverable`] where no method serves the country, [`RateError::NoRate`] where those that
/// do have no price for what is sent, [`RateError::Currency`] and [`RateError::Negative`] for a wrong rate.
pub fn quote(
    methods: &[ShippingMethod],
    basis: &RateBasis,
    now: Timestamp,
    valid_for: Duration,
) -> Result<Vec<RateQuote>, RateError> {
    let serves =
        |method: &&ShippingMethod| method.countries.is_empty() || method.countries.contains(&basis.country);
    let mut serving = methods.iter().filter(serves).peekable();
    if serving.peek().is_none() {
        return Err(RateError::Undeliverable { country: basis.country });
    }
    let mut quotes = Vec::new();
    for method in serving {
        let Some(price) = price(&method.rate, basis) else { continue };
        if price.currency() != basis.subtotal.currency() {
            return Err(RateError::Currency { method: method.code.clone() });
        }
        if price.is_negative() {
            return Err(RateError::Negative { method: method.code.clone() });
        }
        quotes.push(RateQuote {
            method: method.code.clone(),
            label: method.label.clone(),
            price,
            days: method.days,
            expires_at: now.plus(valid_for),
        });
    }
    quotes.sort_by(RateQuote::by_price);
    if quotes.is_empty() { Err(RateError::NoRate) } else { Ok(quotes) }
}

fn price(rule: &RateRule, basis: &RateBasis) -> Option<Money> {
    match rule {
        RateRule::Flat(price) => Some(*price),
        RateRule::Table { by, bands } => {
            let measure = match by {
                Measure::Subtotal => u64::try_from(basis.subtotal.minor()).unwrap_or(0),
                Measure::Quantity => basis.quantity,
            };
            let reached = bands.iter().filter(|band| band.from <= measure);
            reached.max_by_key(|band| (band.from, band.price.minor())).map(|band| band.price)
        }
    }
}

/// The cheapest quote; among equals the fastest, then the first by code.
pub fn cheapest(quotes: &[RateQuote]) -> Option<&RateQuote> {
    quotes.iter().min_by(|a, b| a.by_price(b))
}

/// The fastest quote; among equals the cheapest, then the first by code.
pub fn fastest(quotes: &[RateQuote]) -> Option<&RateQuote> {
    quotes.iter().min_by(|a, b| a.by_days(b))
}
