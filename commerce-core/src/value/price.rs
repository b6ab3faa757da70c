//! Prices of one unit, which may be finer than the smallest coin.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::currency::Currency;
use super::fixed::{self, NotFixed};
use super::money::{Money, MoneyError};
use super::quantity::Quantity;
use super::rounding::{RoundingMode, div_round};

/// The price of one unit in the main unit of a currency: not negative, at most six decimals.
///
/// Kept as an integer of millionths, so at most 9 223 372 036 854.775807. Rounding to the smallest
/// coin happens when it is [extended](Self::extend) by a quantity, once.
/// Serialised as `{"amount":"12.50","currency":"EUR"}`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub struct Price {
    micros: i64,
    currency: Currency,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    amount: String,
    currency: Currency,
}

/// The number is not a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPrice {
    /// Below zero.
    #[error("a price is not negative")]
    Negative,
    /// More than [`Price::DECIMALS`] decimals.
    #[error("a price has at most 6 decimals")]
    TooManyDecimals,
    /// Larger than the largest price.
    #[error("price out of range")]
    OutOfRange,
    /// The text is not a decimal number.
    #[error("not a decimal number")]
    Malformed,
}

impl From<NotFixed> for InvalidPrice {
    fn from(error: NotFixed) -> Self {
        match error {
            NotFixed::Malformed => Self::Malformed,
            NotFixed::TooManyDecimals => Self::TooManyDecimals,
            NotFixed::OutOfRange => Self::OutOfRange,
        }
    }
}

impl Price {
    /// The most decimals.
    pub const DECIMALS: u8 = 6;

    /// Takes a price in millionths of the main unit.
    ///
    /// # Errors
    ///
    /// [`InvalidPrice::Negative`].
    pub const fn from_micros(micros: i64, currency: Currency) -> Result<Self, InvalidPrice> {
        if micros < 0 { Err(InvalidPrice::Negative) } else { Ok(Self { micros, currency }) }
    }

    /// Takes a price in the main unit. Trailing zeros do not count as decimals.
    ///
    /// # Errors
    ///
    /// [`InvalidPrice`] below zero, above the largest price or with more than six decimals.
    pub fn new(amount: Decimal, currency: Currency) -> Result<Self, InvalidPrice> {
        Self::from_micros(fixed::from_decimal(amount, Self::DECIMALS)?, currency)
    }

    /// Reads a price in the main unit: `12.50`, `0.0375`.
    ///
    /// # Errors
    ///
    /// [`InvalidPrice`].
    pub fn parse(text: &str, currency: Currency) -> Result<Self, InvalidPrice> {
        Self::from_micros(fixed::parse(text, Self::DECIMALS)?, currency)
    }

    /// Takes an amount as the price of one unit.
    ///
    /// # Errors
    ///
    /// [`InvalidPrice::Negative`] or [`InvalidPrice::OutOfRange`].
    pub fn from_money(amount: Money) -> Result<Self, InvalidPrice> {
        let factor = micros_per_minor(amount.currency());
        let micros = amount.minor().checked_mul(factor).ok_or(InvalidPrice::OutOfRange)?;
        Self::from_micros(micros, amount.currency())
    }

    /// Free.
    pub const fn zero(currency: Currency) -> Self {
        Self { micros: 0, currency }
    }

    /// What `quantity` units cost: multiplied exactly, then rounded once to the smallest coin.
    ///
    /// # Errors
    ///
    /// [`MoneyError::Overflow`].
    pub fn extend(self, quantity: Quantity, mode: RoundingMode) -> Result<Money, MoneyError> {
        let exact = i128::from(self.micros) * i128::from(quantity.get());
        div_round(exact, i128::from(micros_per_minor(self.currency)), mode)
            .and_then(|minor| i64::try_from(minor).ok())
            .map(|minor| Money::from_minor(minor, self.currency))
            .ok_or(MoneyError::Overflow)
    }

    /// The price in the main unit, without trailing zeros.
    pub fn decimal(self) -> Decimal {
        fixed::to_decimal(self.micros, Self::DECIMALS)
    }

    /// The price in millionths of the main unit.
    pub const fn micros(self) -> i64 {
        self.micros
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Whether the thing is free.
    pub const fn is_zero(self) -> bool {
        self.micros == 0
    }

    /// The price in the main unit, with at least as many decimals as the currency has.
    pub fn to_decimal_string(self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = fixed::write(&mut text, self.micros, Self::DECIMALS, self.currency.exponent());
        text
    }
}

fn micros_per_minor(currency: Currency) -> i64 {
    fixed::pow10(Price::DECIMALS.saturating_sub(currency.exponent()))
}

impl TryFrom<Wire> for Price {
    type Error = InvalidPrice;

    fn try_from(wire: Wire) -> Result<Self, InvalidPrice> {
        Self::parse(&wire.amount, wire.currency)
    }
}

impl From<Price> for Wire {
    fn from(price: Price) -> Self {
        Self { amount: price.to_decimal_string(), currency: price.currency }
    }
}

/// The price in the main unit and the code: `0.0375 EUR`.
impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fixed::write(f, self.micros, Self::DECIMALS, self.currency.exponent())?;
        write!(f, " {}", self.currency)
    }
}

impl fmt::Debug for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bad_prices_are_refused() {
        let parse = |text| Price::parse(text, Currency::USD);
        assert_eq!(parse("-0.01"), Err(InvalidPrice::Negative));
        assert_eq!(parse("0.0000001"), Err(InvalidPrice::TooManyDecimals));
        assert_eq!(parse("79228162514264337593543950335"), Err(InvalidPrice::OutOfRange));
        assert_eq!(parse("free"), Err(InvalidPrice::Malformed));
        assert_eq!(Price::new(Decimal::MAX, Currency::USD), Err(InvalidPrice::OutOfRange));
        assert_eq!(Price::new(Decimal::new(-1, 2), Currency::USD), Err(InvalidPrice::Negative));
        assert_eq!(Price::new(Decimal::new(1, 28), Currency::USD), Err(InvalidPrice::TooManyDecimals));
        assert_eq!(
            Price::from_money(Money::from_minor(i64::MAX, Currency::JPY)),
            Err(InvalidPrice::OutOfRange)
        );
        assert!(serde_json::from_str::<Price>(r#"{"amount":12.5,"currency":"EUR"}"#).is_err());
        assert!(serde_json::from_str::<Price>(r#"{"amount":"-1","currency":"EUR"}"#).is_err());
    }

    #[test]
    fn extending_rounds_once() {
        let quantity = Quantity::new(1000).unwrap();
        let screws = Price::parse("0.0375", Currency::EUR).unwrap();
        assert_eq!(screws.extend(quantity, RoundingMode::HalfEven).unwrap().minor(), 3750);
        assert_eq!(screws.extend(Quantity::ONE, RoundingMode::HalfEven).unwrap().minor(), 4);
        let yen = Price::parse("0.5", Currency::JPY).unwrap();
        assert_eq!(yen.extend(Quantity::ONE, RoundingMode::HalfEven).unwrap().minor(), 0);
        let largest = Price::from_micros(i64::MAX, Currency::EUR).unwrap();
        assert_eq!(largest.extend(Quantity::MAX, RoundingMode::Down), Err(MoneyError::Overflow));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn prices_survive_text_decimal_and_serialisation(micros in 0..=i64::MAX) {
            let price = Price::from_micros(micros, Currency::KWD).unwrap();
            prop_assert_eq!(Price::parse(&price.to_decimal_string(), Currency::KWD), Ok(price));
            prop_assert_eq!(Price::new(price.decimal(), Currency::KWD), Ok(price));
            let json = serde_json::to_string(&price).unwrap();
            prop_assert_eq!(serde_json::from_str::<Price>(&json).unwrap(), price);
        }
    }

    #[test]
    fn only_what_costs_nothing_is_free() {
        let price = |text| Price::parse(text, Currency::EUR).unwrap();
        assert_eq!(["0", "0.00", "0.000001"].map(|text| price(text).is_zero()), [true, true, false]);
    }
}
