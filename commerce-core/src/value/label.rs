//! Short texts: labels for people, codes that people type.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The text is not a [`Label`] or [`PromotionCode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidLabel {
    /// Nothing is left after cutting white space.
    #[error("empty")]
    Empty,
    /// More than 64 characters.
    #[error("more than 64 characters")]
    TooLong,
    /// A character that the type does not permit.
    #[error("character {0:?} is not allowed")]
    Character(char),
}

const MAX_CHARS: usize = 64;

macro_rules! short_text {
    ($(#[$doc:meta])* $name:ident, $legal:expr, $canonical:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes a text; surrounding white space is cut.
            ///
            /// # Errors
            ///
            /// [`InvalidLabel`].
            pub fn new(text: &str) -> Result<Self, InvalidLabel> {
                let text = text.trim();
                let legal: fn(char) -> bool = $legal;
                let canonical: fn(&str) -> String = $canonical;
                match text.chars().find(|c| !legal(*c)) {
                    Some(bad) => Err(InvalidLabel::Character(bad)),
                    None if text.is_empty() => Err(InvalidLabel::Empty),
                    None if text.chars().count() > MAX_CHARS => Err(InvalidLabel::TooLong),
                    None => Ok(Self(canonical(text).into())),
                }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidLabel;

            fn from_str(text: &str) -> Result<Self, InvalidLabel> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidLabel;

            fn try_from(text: String) -> Result<Self, InvalidLabel> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }
    };
}

short_text! {
    /// A name to show or to tell apart by: of a tax, a shipping method, a fee. 1 to 64 characters, no
    /// control characters. Cheap to clone. Serialised as the text.
    Label, |c| !c.is_control(), str::to_owned
}

short_text! {
    /// A code that a buyer types to get a discount: 1 to 64 printable ASCII characters without spaces.
    ///
    /// Raised to upper case, so that `save10` and `SAVE10` are one code. Cheap to clone. Serialised as
    /// the text.
    PromotionCode, |c| c.is_ascii_graphic(), str::to_ascii_uppercase
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_codes_are_checked_and_canonical() {
        assert_eq!(Label::new(" VAT 7.7% ").unwrap().as_str(), "VAT 7.7%");
        assert_eq!(Label::new("  "), Err(InvalidLabel::Empty));
        assert_eq!(Label::new("a\nb"), Err(InvalidLabel::Character('\n')));
        assert_eq!(Label::new(&"ü".repeat(65)), Err(InvalidLabel::TooLong));
        assert!(Label::new(&"ü".repeat(64)).is_ok());
        assert_eq!(PromotionCode::new(" save10"), PromotionCode::new("SAVE10"));
        assert_eq!(PromotionCode::new("a b"), Err(InvalidLabel::Character(' ')));
        assert!(serde_json::from_str::<PromotionCode>("\"\"").is_err());
    }
}
