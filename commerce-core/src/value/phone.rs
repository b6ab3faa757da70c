//! Telephone numbers.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// An international number in the form of E.164, for example `+4930123456`.
///
/// Read with blanks, dashes, dots, slashes and parentheses; kept without. Shown as `***` in `Debug`.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Phone(Arc<str>);

/// The number is refused. Never holds the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPhone {
    /// Does not start with `+` and a country code.
    #[error("phone number does not start with + and a country code")]
    NotInternational,
    /// A trunk prefix in parentheses, which is not dialled from abroad.
    #[error("phone number holds a trunk prefix in parentheses, leave it out")]
    TrunkPrefix,
    /// Fewer than 7 or more than 15 digits.
    #[error("phone number does not have 7 to 15 digits")]
    Length,
    /// Something that is neither a digit nor a separator.
    #[error("phone number holds something other than digits and separators")]
    Character,
}

impl Phone {
    /// Takes a number.
    ///
    /// # Errors
    ///
    /// [`InvalidPhone`].
    pub fn new(raw: &str) -> Result<Self, InvalidPhone> {
        let rest = raw.trim().strip_prefix('+').ok_or(InvalidPhone::NotInternational)?;
        if rest.contains("(0)") {
            return Err(InvalidPhone::TrunkPrefix);
        }
        let mut number = String::from("+");
        for c in rest.chars() {
            match c {
                '0'..='9' => number.push(c),
                ' ' | '-' | '.' | '/' | '(' | ')' | '\u{A0}' => {}
                _ => return Err(InvalidPhone::Character),
            }
            if number.len() > 16 {
                return Err(InvalidPhone::Length);
            }
        }
        if number.starts_with("+0") {
            return Err(InvalidPhone::NotInternational);
        }
        if number.len() < 8 {
            return Err(InvalidPhone::Length);
        }
        Ok(Self(number.into()))
    }

    /// The number, `+` and digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(***)")
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Phone {
    type Err = InvalidPhone;

    fn from_str(raw: &str) -> Result<Self, InvalidPhone> {
        Self::new(raw)
    }
}

impl TryFrom<String> for Phone {
    type Error = InvalidPhone;

    fn try_from(raw: String) -> Result<Self, InvalidPhone> {
        Self::new(&raw)
    }
}

impl From<Phone> for String {
    fn from(phone: Phone) -> Self {
        phone.0.as_ref().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_are_dropped_and_the_rest_is_refused() {
        assert_eq!(Phone::new(" +1 (415) 555-01.00 ").unwrap().as_str(), "+14155550100");
        assert_eq!(Phone::new("030 123456"), Err(InvalidPhone::NotInternational));
        assert_eq!(Phone::new("+0 123456789"), Err(InvalidPhone::NotInternational));
        assert_eq!(Phone::new("+44 (0)20 7946 0000"), Err(InvalidPhone::TrunkPrefix));
        assert_eq!(Phone::new("+49 30"), Err(InvalidPhone::Length));
        assert_eq!(Phone::new("+1234567890123456"), Err(InvalidPhone::Length));
        assert_eq!(Phone::new("+49 30 12x456"), Err(InvalidPhone::Character));
        assert_eq!(Phone::new("+49 30 ١٢٣٤٥٦"), Err(InvalidPhone::Character));
    }
}
