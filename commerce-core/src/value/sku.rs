//! The shop's code for a thing it sells.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A stock-keeping unit: 1 to 64 of `A-Z`, `0-9`, `-`, `_`, `.`, `/` and `+`.
///
/// Surrounding white space is cut and letters are raised to upper case, so that two spellings of one
/// code are one code. Cheap to clone. Serialised as the text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sku(Arc<str>);

/// The text is not a SKU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSku {
    /// Nothing is left after cutting white space.
    #[error("a sku is not empty")]
    Empty,
    /// More than [`Sku::MAX_LEN`] characters.
    #[error("a sku has at most 64 characters")]
    TooLong,
    /// A character outside the permitted set.
    #[error("character {0:?} in a sku")]
    Character(char),
}

impl Sku {
    /// The most characters.
    pub const MAX_LEN: usize = 64;

    /// Takes a code in any spelling.
    ///
    /// # Errors
    ///
    /// [`InvalidSku`].
    pub fn new(text: &str) -> Result<Self, InvalidSku> {
        let text = text.trim();
        if text.is_empty() {
            return Err(InvalidSku::Empty);
        }
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '+');
        if let Some(bad) = text.chars().find(|c| !legal(*c)) {
            return Err(InvalidSku::Character(bad));
        }
        if text.len() > Self::MAX_LEN {
            return Err(InvalidSku::TooLong);
        }
        Ok(Self(text.to_ascii_uppercase().into()))
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Sku {
    type Err = InvalidSku;

    fn from_str(text: &str) -> Result<Self, InvalidSku> {
        Self::new(text)
    }
}

impl TryFrom<String> for Sku {
    type Error = InvalidSku;

    fn try_from(text: String) -> Result<Self, InvalidSku> {
        Self::new(&text)
    }
}

impl From<Sku> for String {
    fn from(sku: Sku) -> Self {
        sku.as_str().to_owned()
    }
}

impl fmt::Display for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sku({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_code_are_equal() {
        assert_eq!(Sku::new(" tee-red/m\n"), Sku::new("TEE-RED/M"));
        assert_eq!(serde_json::from_str::<Sku>("\" a.1 \"").unwrap().as_str(), "A.1");
        assert_eq!(serde_json::to_string(&Sku::new("a_1+b").unwrap()).unwrap(), "\"A_1+B\"");
    }

    #[test]
    fn what_is_no_code_is_refused() {
        assert_eq!(Sku::new(" \t"), Err(InvalidSku::Empty));
        assert_eq!(Sku::new("a b"), Err(InvalidSku::Character(' ')));
        assert_eq!(Sku::new("straße"), Err(InvalidSku::Character('ß')));
        assert_eq!(Sku::new("a\0"), Err(InvalidSku::Character('\0')));
        assert_eq!(Sku::new(&"A".repeat(65)), Err(InvalidSku::TooLong));
        assert!(Sku::new(&"A".repeat(64)).is_ok());
    }
}
