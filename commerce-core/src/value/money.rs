//! Amounts of money.

use std::cmp::Ordering;
use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::currency::Currency;
use super::fixed::{self, NotFixed};

/// An amount in the smallest unit of a currency: `1234` of `EUR` is 12.34 euro.
///
/// Any sign. Arithmetic is checked: it refuses to mix currencies and to overflow, and nothing rounds.
/// There is no order between currencies, hence no `Ord`; see [`checked_cmp`](Self::checked_cmp).
/// Serialised as `{"minor":1234,"currency":"EUR"}`.
///
/// ```
/// use commerce_core::value::{Currency, Money, MoneyError};
///
/// let price = Money::from_minor(1234, Currency::EUR);
/// assert_eq!(price.checked_mul(2)?.to_string(), "24.68 EUR");
/// assert!(price.checked_add(Money::from_minor(1, Currency::USD)).is_err());
/// # Ok::<(), MoneyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

/// An amount cannot be computed or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoneyError {
    /// Amounts of two currencies were to be combined.
    #[error("cannot combine {left} with {right}")]
    CurrencyMismatch {
        /// The currency of the first amount.
        left: Currency,
        /// The currency of the second amount.
        right: Currency,
    },
    /// The result does not fit 64 bits.
    #[error("amount out of range")]
    Overflow,
    /// More decimals than the currency has.
    #[error("more than {allowed} decimals")]
    TooManyDecimals {
        /// The exponent of the currency.
        allowed: u8,
    },
    /// The text is not a decimal number.
    #[error("not a decimal number")]
    Malformed,
}

impl MoneyError {
    fn from_fixed(error: NotFixed, currency: Currency) -> Self {
        match error {
            NotFixed::Malformed => Self::Malformed,
            NotFixed::TooManyDecimals => Self::TooManyDecimals { allowed: currency.exponent() },
            NotFixed::OutOfRange => Self::Overflow,
        }
    }
}

impl Money {
    /// Takes an amount in the smallest unit: cents of the euro, whole yen.
    pub const fn from_minor(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, of a currency.
    pub const fn zero(currency: Currency) -> Self {
        Self::from_minor(0, currency)
    }

    /// Reads an amount in the main unit: `12.34`, `-0.5`, `7`. No sign but `-`, no exponent, no spaces.
    ///
    /// # Errors
    ///
    /// [`MoneyError::TooManyDecimals`] when more are written than the currency has, zeros included:
    /// reading never rounds. [`MoneyError::Malformed`], [`MoneyError::Overflow`].
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        match fixed::parse(text, currency.exponent()) {
            Ok(minor) => Ok(Self { minor, currency }),
            Err(error) => Err(MoneyError::from_fixed(error, currency)),
        }
    }

    /// Takes an amount in the main unit. Trailing zeros do not count as decimals.
    ///
    /// # Errors
    ///
    /// [`MoneyError::TooManyDecimals`] or [`MoneyError::Overflow`].
    pub fn from_decimal(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        match fixed::from_decimal(amount, currency.exponent()) {
            Ok(minor) => Ok(Self { minor, currency }),
            Err(error) => Err(MoneyError::from_fixed(error, currency)),
        }
    }

    /// The amount in the smallest unit.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Whether the amount is zero.
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// Whether the amount is below zero.
    pub const fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// Whether the amount is above zero.
    pub const fn is_positive(self) -> bool {
        self.minor > 0
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency })
        }
    }

    fn of(self, minor: Option<i64>) -> Result<Self, MoneyError> {
        minor.map(|minor| Self { minor, ..self }).ok_or(MoneyError::Overflow)
    }

    /// The sum.
    ///
    /// # Errors
    ///
    /// [`MoneyError::CurrencyMismatch`] or [`MoneyError::Overflow`].
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.of(self.minor.checked_add(other.minor))
    }

    /// The difference.
    ///
    /// # Errors
    ///
    /// [`MoneyError::CurrencyMismatch`] or [`MoneyError::Overflow`].
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.of(self.minor.checked_sub(other.minor))
    }

    /// The same amount with the other sign.
    ///
    /// # Errors
    ///
    /// [`MoneyError::Overflow`] for the smallest integer.
    pub fn checked_neg(self) -> Result<Self, MoneyError> {
        self.of(self.minor.checked_neg())
    }

    /// The amount `factor` times.
    ///
    /// # Errors
    ///
    /// [`MoneyError::Overflow`].
    pub fn checked_mul(self, factor: i64) -> Result<Self, MoneyError> {
        self.of(self.minor.checked_mul(factor))
    }

    /// Which amount is larger.
    ///
    /// # Errors
    ///
    /// [`MoneyError::CurrencyMismatch`].
    pub fn checked_cmp(self, other: Self) -> Result<Ordering, MoneyError> {
        self.same_currency(other)?;
        Ok(self.minor.cmp(&other.minor))
    }

    /// The sum of all amounts; zero of `currency` when there are none.
    ///
    /// # Errors
    ///
    /// [`MoneyError::CurrencyMismatch`] when one is of another currency, [`MoneyError::Overflow`].
    pub fn sum(amounts: impl IntoIterator<Item = Self>, currency: Currency) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::checked_add)
    }

    /// The amount in the main unit, with exactly as many decimals as the currency has: `12.30`.
    pub fn to_decimal_string(self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = fixed::write(&mut text, self.minor, self.currency.exponent(), self.currency.exponent());
        text
    }
}

/// The amount in the main unit and the code: `12.34 EUR`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fixed::write(f, self.minor, self.currency.exponent(), self.currency.exponent())?;
        write!(f, " {}", self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn currency() -> impl Strategy<Value = Currency> {
        (0..6_u8).prop_map(|pick| match pick {
            0 => Currency::JPY,
            1 => Currency::EUR,
            2 => Currency::USD,
            3 => Currency::KWD,
            four => Currency::custom("X-PTS", four).unwrap(),
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn money_1_no_arithmetic_across_currencies(
            a in any::<i64>(), b in any::<i64>(), left in currency(), right in currency()
        ) {
            let (x, y) = (Money::from_minor(a, left), Money::from_minor(b, right));
            if left == right {
                prop_assert_eq!(x.checked_cmp(y), Ok(a.cmp(&b)));
                return Ok(());
            }
            let error = MoneyError::CurrencyMismatch { left, right };
            prop_assert_eq!(x.checked_add(y), Err(error));
            prop_assert_eq!(x.checked_sub(y), Err(error));
            prop_assert_eq!(x.checked_cmp(y), Err(error));
            prop_assert_eq!(Money::sum([y], left), Err(error));
        }

        #[test]
        fn money_2_overflow_is_an_error(a in any::<i64>(), b in any::<i64>(), currency in currency()) {
            let money = |minor| Money::from_minor(minor, currency);
            let same = |ours: Result<Money, MoneyError>, exact: i128| match i64::try_from(exact) {
                Ok(minor) => ours == Ok(money(minor)),
                Err(_) => ours == Err(MoneyError::Overflow),
            };
            let (wide_a, wide_b) = (i128::from(a), i128::from(b));
            prop_assert!(same(money(a).checked_add(money(b)), wide_a + wide_b));
            prop_assert!(same(money(a).checked_sub(money(b)), wide_a - wide_b));
            prop_assert!(same(money(a).checked_mul(b), wide_a * wide_b));
            prop_assert!(same(money(a).checked_neg(), -wide_a));
        }

        #[test]
        fn money_3_minor_units_round_trip(minor in any::<i64>(), currency in currency()) {
            let money = Money::from_minor(minor, currency);
            let text = money.to_decimal_string();
            prop_assert_eq!(Money::parse(&text, currency), Ok(money));
            prop_assert_eq!(Money::from_decimal(text.parse().unwrap(), currency), Ok(money));
            let json = serde_json::to_string(&money).unwrap();
            prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
            let point = if currency.exponent() == 0 { "." } else { "" };
            prop_assert_eq!(
                Money::parse(&format!("{text}{point}5"), currency),
                Err(MoneyError::TooManyDecimals { allowed: currency.exponent() })
            );
        }
    }

    #[test]
    fn the_wire_form_is_minor_and_currency() {
        let json = serde_json::to_string(&Money::from_minor(1234, Currency::EUR)).unwrap();
        assert_eq!(json, r#"{"minor":1234,"currency":"EUR"}"#);
        assert!(serde_json::from_str::<Money>(r#"{"minor":1.5,"currency":"EUR"}"#).is_err());
        assert!(serde_json::from_str::<Money>(r#"{"minor":1,"currency":"HRK"}"#).is_err());
    }

    #[test]
    fn reading_never_rounds() {
        let decimals = |allowed| Err(MoneyError::TooManyDecimals { allowed });
        assert_eq!(Money::parse("0.001", Currency::USD), decimals(2));
        assert_eq!(Money::parse("0.5", Currency::JPY), decimals(0));
        assert_eq!(Money::parse("-0.01", Currency::USD), Ok(Money::from_minor(-1, Currency::USD)));
        assert_eq!(Money::from_decimal(Decimal::new(1, 3), Currency::USD), decimals(2));
        assert_eq!(Money::from_decimal(Decimal::new(1000, 3), Currency::JPY).unwrap().minor(), 1);
        assert_eq!(Money::from_decimal(Decimal::MAX, Currency::USD), Err(MoneyError::Overflow));
        let huge = "79228162514264337593543950335";
        assert_eq!(Money::parse(huge, Currency::USD), Err(MoneyError::Overflow));
        assert_eq!(Money::parse("twelve", Currency::USD), Err(MoneyError::Malformed));
    }

    #[test]
    fn it_prints_amount_and_code() {
        assert_eq!(Money::from_minor(-5, Currency::EUR).to_string(), "-0.05 EUR");
        assert_eq!(Money::from_minor(1234, Currency::JPY).to_string(), "1234 JPY");
        assert_eq!(Money::from_minor(1, Currency::KWD).to_string(), "0.001 KWD");
    }

    #[test]
    fn only_nothing_is_zero() {
        let euros = |minor| Money::from_minor(minor, Currency::EUR);
        assert_eq!([-1, 0, 1].map(|minor| euros(minor).is_zero()), [false, true, false]);
        assert_eq!([-1, 0].map(|minor| euros(minor).to_string()), ["-0.01 EUR", "0.00 EUR"]);
    }
}
