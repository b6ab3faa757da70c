//! Order numbers: a date and 40 random bits.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::value::time::Timestamp;

/// The digits of Crockford's base 32: no I, L, O, U, so that a number can be read out.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// The longest number, as the source documents' `VARCHAR(50)`.
pub const MAX_LEN: usize = 50;

/// The number that people use for an order; unique within a shop.
///
/// Not gapless: gapless numbers belong to invoices, given in the order of the log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OrderNumber(Arc<str>);

/// The text is not an order number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an order number has 1 to 50 letters, digits, dashes, dots or slashes")]
#[non_exhaustive]
pub struct InvalidOrderNumber;

impl OrderNumber {
    /// Takes a number that was given elsewhere, for example by a shop that is imported.
    ///
    /// # Errors
    ///
    /// [`InvalidOrderNumber`] for other characters than ASCII letters, digits, `-`, `.`, `/`, or a wrong
    /// length.
    pub fn new(text: &str) -> Result<Self, InvalidOrderNumber> {
        let good = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'/');
        if text.is_empty() || text.len() > MAX_LEN || !text.bytes().all(good) {
            return Err(InvalidOrderNumber);
        }
        Ok(Self(text.into()))
    }

    /// Makes `PREFIX-20261121-7K3M9QXA` from the day and 40 random bits of a new id.
    ///
    /// # Errors
    ///
    /// [`InvalidOrderNumber`] where the prefix does not fit.
    pub fn make(prefix: &str, now: Timestamp, random: Uuid) -> Result<Self, InvalidOrderNumber> {
        // Version 7 keeps random bits at its end.
        let mut bits = u64::try_from(random.as_u128() & 0xFF_FFFF_FFFF).unwrap_or(0);
        let mut tail = [b'0'; 8];
        for digit in tail.iter_mut().rev() {
            *digit = DIGITS.get(usize::try_from(bits & 31).unwrap_or(0)).copied().unwrap_or(b'0');
            bits >>= 5;
        }
        let tail: String = tail.iter().map(|digit| char::from(*digit)).collect();
        let day = now.to_datetime().format("%Y%m%d");
        let dash = if prefix.is_empty() { "" } else { "-" };
        Self::new(&format!("{prefix}{dash}{day}-{tail}"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for OrderNumber {
    type Error = InvalidOrderNumber;

    fn try_from(text: String) -> Result<Self, InvalidOrderNumber> {
        Self::new(&text)
    }
}

impl From<OrderNumber> for String {
    fn from(number: OrderNumber) -> Self {
        number.0.as_ref().to_owned()
    }
}

impl fmt::Display for OrderNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_the_day_and_eight_digits() {
        let number = OrderNumber::make("S", Timestamp::UNIX_EPOCH, Uuid::from_u128(u128::MAX)).unwrap();
        assert_eq!(number.as_str(), "S-19700101-ZZZZZZZZ");
        assert!(OrderNumber::make("", Timestamp::UNIX_EPOCH, Uuid::nil()).is_ok());
    }

    #[test]
    fn other_text_is_refused() {
        for bad in ["", "a b", "ä", "x'; drop", &"9".repeat(51)] {
            assert_eq!(OrderNumber::new(bad), Err(InvalidOrderNumber));
        }
    }
}
