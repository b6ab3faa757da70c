//! Percentages.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::fixed::{self, NotFixed};
use super::money::{Money, MoneyError};
use super::rounding::{RoundingMode, div_round};

/// A percentage between 0 and 100 with at most six decimals: a tax rate, a discount.
///
/// Kept as an integer of millionths of a percent. Serialised as text: `"7.7"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rate(u32);

/// Millionths of a percent in the whole.
const WHOLE: u32 = 100_000_000;

/// The number is not a percentage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRate {
    /// Below 0 or above 100.
    #[error("a rate lies between 0 and 100 percent")]
    OutOfRange,
    /// More than [`Rate::DECIMALS`] decimals.
    #[error("a rate has at most 6 decimals")]
    TooManyDecimals,
    /// The text is not a decimal number.
    #[error("not a decimal number")]
    Malformed,
}

impl From<NotFixed> for InvalidRate {
    fn from(error: NotFixed) -> Self {
        match error {
            NotFixed::Malformed => Self::Malformed,
            NotFixed::TooManyDecimals => Self::TooManyDecimals,
            NotFixed::OutOfRange => Self::OutOfRange,
        }
    }
}

impl Rate {
    /// The most decimals of the percentage.
    pub const DECIMALS: u8 = 6;
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// All of it.
    pub const HUNDRED: Self = Self(WHOLE);

    fn from_micros(micros: i64) -> Result<Self, InvalidRate> {
        match u32::try_from(micros) {
            Ok(micros) if micros <= WHOLE => Ok(Self(micros)),
            _ => Err(InvalidRate::OutOfRange),
        }
    }

    /// Takes a percentage: 7.7 means 7.7 %. Trailing zeros do not count as decimals.
    ///
    /// # Errors
    ///
    /// [`InvalidRate`].
    pub fn percent(percentage: Decimal) -> Result<Self, InvalidRate> {
        Self::from_micros(fixed::from_decimal(percentage, Self::DECIMALS)?)
    }

    /// Reads a percentage: `7.7`.
    ///
    /// # Errors
    ///
    /// [`InvalidRate`].
    pub fn parse(text: &str) -> Result<Self, InvalidRate> {
        Self::from_micros(fixed::parse(text, Self::DECIMALS)?)
    }

    /// The percentage without trailing zeros.
    pub fn decimal(self) -> Decimal {
        fixed::to_decimal(i64::from(self.0), Self::DECIMALS)
    }

    /// The percentage in millionths: 7.7 % is 7 700 000.
    pub const fn micros(self) -> u32 {
        self.0
    }

    /// Whether the rate is zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// This part of an amount, rounded to the smallest coin. Never larger than the amount.
    ///
    /// # Errors
    ///
    /// None today; the result type keeps room for wider rates.
    pub fn of(self, amount: Money, mode: RoundingMode) -> Result<Money, MoneyError> {
        self.part(amount, i128::from(WHOLE), mode)
    }

    /// The part of a gross amount that is this rate on the net amount: at 25 %, a fifth.
    ///
    /// # Errors
    ///
    /// None today; the result type keeps room for wider rates.
    pub fn included_in(self, gross: Money, mode: RoundingMode) -> Result<Money, MoneyError> {
        self.part(gross, i128::from(WHOLE) + i128::from(self.0), mode)
    }

    fn part(self, amount: Money, whole: i128, mode: RoundingMode) -> Result<Money, MoneyError> {
        div_round(i128::from(amount.minor()) * i128::from(self.0), whole, mode)
            .and_then(|minor| i64::try_from(minor).ok())
            .map(|minor| Money::from_minor(minor, amount.currency()))
            .ok_or(MoneyError::Overflow)
    }
}

impl TryFrom<String> for Rate {
    type Error = InvalidRate;

    fn try_from(text: String) -> Result<Self, InvalidRate> {
        Self::parse(&text)
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> Self {
        let mut text = Self::new();
        // Writing to a string cannot fail.
        let _ = fixed::write(&mut text, i64::from(rate.0), Rate::DECIMALS, 0);
        text
    }
}

/// The percentage with its sign: `7.7%`.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fixed::write(f, i64::from(self.0), Self::DECIMALS, 0)?;
        f.write_str("%")
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::currency::Currency;
    use proptest::prelude::*;

    #[test]
    fn bad_rates_are_refused() {
        assert_eq!(Rate::parse("-1"), Err(InvalidRate::OutOfRange));
        assert_eq!(Rate::parse("100.000001"), Err(InvalidRate::OutOfRange));
        assert_eq!(Rate::parse("0.0000001"), Err(InvalidRate::TooManyDecimals));
        assert_eq!(Rate::parse("7,7"), Err(InvalidRate::Malformed));
        assert_eq!(Rate::percent(Decimal::MAX), Err(InvalidRate::OutOfRange));
        assert_eq!(Rate::percent(Decimal::ONE_HUNDRED), Ok(Rate::HUNDRED));
        assert!(serde_json::from_str::<Rate>("7.7").is_err());
        assert_eq!(serde_json::to_string(&Rate::parse("7.70").unwrap()).unwrap(), "\"7.7\"");
    }

    #[test]
    fn tax_on_top_and_tax_inside() {
        let rate = Rate::parse("25").unwrap();
        let money = |minor| Money::from_minor(minor, Currency::EUR);
        assert_eq!(rate.of(money(400), RoundingMode::HalfEven), Ok(money(100)));
        assert_eq!(rate.included_in(money(500), RoundingMode::HalfEven), Ok(money(100)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn a_part_is_never_larger_than_the_whole(micros in 0..=i64::from(WHOLE), minor in any::<i64>()) {
            let (rate, amount) = (Rate::from_micros(micros).unwrap(), Money::from_minor(minor, Currency::EUR));
            for mode in [RoundingMode::HalfEven, RoundingMode::Up, RoundingMode::Down] {
                let parts = [rate.of(amount, mode).unwrap(), rate.included_in(amount, mode).unwrap()];
                prop_assert!(parts.iter().all(|part| part.minor().unsigned_abs() <= minor.unsigned_abs()));
            }
            let json = serde_json::to_string(&rate).unwrap();
            prop_assert_eq!(serde_json::from_str::<Rate>(&json).unwrap(), rate);
        }
    }

    #[test]
    fn a_rate_says_its_percentage_and_whether_it_is_any() {
        let rate = Rate::parse("7.70").unwrap();
        assert_eq!(
            (rate.decimal().to_string(), rate.micros(), rate.is_zero()),
            ("7.7".to_owned(), 7_700_000, false)
        );
        let none = Rate::parse("0").unwrap();
        assert_eq!((none.decimal().to_string(), none.is_zero()), ("0".to_owned(), true));
    }
}
