//! Text that people write: bounded, normalised, without characters that deceive.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// One to `MAX` characters of text, trimmed and in Unicode normalisation form C.
///
/// Line feeds and tabs are allowed; other control characters and the characters that reverse the
/// direction of writing are refused, because what is read would not be what is stored.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text<const MAX: usize>(Arc<str>);

/// A short line: the name of a product, a category, a person.
pub type Name = Text<200>;
/// A long text.
pub type Description = Text<10_000>;
/// Why somebody did something.
pub type Reason = Text<500>;
/// A short technical name, compared as written.
pub type Code = Text<64>;

/// The text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidText {
    /// Nothing is left after trimming.
    #[error("text is empty")]
    Empty,
    /// More characters than the field takes.
    #[error("text is longer than {max} characters")]
    TooLong {
        /// The most that the field takes.
        max: usize,
    },
    /// A control character other than line feed and tab.
    #[error("text holds a control character")]
    Control,
    /// A character that reverses or isolates the direction of writing.
    #[error("text holds a character that overrides the direction of writing")]
    Bidi,
}

impl<const MAX: usize> Text<MAX> {
    /// Takes a text.
    ///
    /// # Errors
    ///
    /// [`InvalidText`].
    pub fn new(raw: &str) -> Result<Self, InvalidText> {
        // One character more than fits is enough to refuse; the rest of a huge input is never read.
        // ASCII is normal as it stands.
        let trimmed = raw.trim();
        let normal: String = if trimmed.is_ascii() {
            trimmed.chars().take(MAX.saturating_add(1)).collect()
        } else {
            trimmed.nfc().take(MAX.saturating_add(1)).collect()
        };
        if normal.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            return Err(InvalidText::Control);
        }
        if normal.chars().any(|c| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')) {
            return Err(InvalidText::Bidi);
        }
        if normal.is_empty() {
            return Err(InvalidText::Empty);
        }
        if normal.chars().count() > MAX {
            return Err(InvalidText::TooLong { max: MAX });
        }
        Ok(Self(normal.into()))
    }

    /// Takes any text: what is not allowed is replaced by U+FFFD, what is too long is cut.
    ///
    /// For texts that a program made, such as the message of an error, where something has to be kept.
    pub fn lossy(raw: &str) -> Self {
        let replaced = |c: char| match c {
            '\n' | '\t' => c,
            '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => char::REPLACEMENT_CHARACTER,
            c if c.is_control() => char::REPLACEMENT_CHARACTER,
            c => c,
        };
        let kept: String = raw.trim().nfc().map(replaced).take(MAX).collect();
        let kept = kept.trim_end();
        Self(if kept.is_empty() { "?".into() } else { kept.into() })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: usize> fmt::Debug for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl<const MAX: usize> FromStr for Text<MAX> {
    type Err = InvalidText;

    fn from_str(raw: &str) -> Result<Self, InvalidText> {
        Self::new(raw)
    }
}

impl<const MAX: usize> TryFrom<String> for Text<MAX> {
    type Error = InvalidText;

    fn try_from(raw: String) -> Result<Self, InvalidText> {
        Self::new(&raw)
    }
}

impl<const MAX: usize> From<Text<MAX>> for String {
    fn from(text: Text<MAX>) -> Self {
        text.0.as_ref().to_owned()
    }
}

/// The name of a person; unlike [`Name`] it never shows in `Debug`.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonName(Name);

impl PersonName {
    /// Takes a name.
    ///
    /// # Errors
    ///
    /// [`InvalidText`].
    pub fn new(raw: &str) -> Result<Self, InvalidText> {
        Name::new(raw).map(Self)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Debug for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonName(***)")
    }
}

impl fmt::Display for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_trimmed_normalised_and_bounded() {
        assert_eq!(Name::new("  Cafe\u{301} ").unwrap().as_str(), "Café");
        assert_eq!(Text::<4>::new("Cafe\u{301}").unwrap().as_str(), "Café");
        assert_eq!(Text::<3>::new("Café"), Err(InvalidText::TooLong { max: 3 }));
        assert_eq!(Name::new(" \n "), Err(InvalidText::Empty));
        assert_eq!(Name::new(&"a".repeat(1 << 20)), Err(InvalidText::TooLong { max: 200 }));
        assert!(Description::new("one\n\ttwo").is_ok());
    }

    #[test]
    fn any_text_can_be_kept_lossily() {
        for raw in ["", " \0", "a\0b", "a\u{202E}b", "Cafe\u{301}", &"\u{958}".repeat(400), &" x".repeat(999)]
        {
            let kept = Text::<10>::lossy(raw);
            assert_eq!(Text::<10>::new(kept.as_str()), Ok(kept));
        }
        assert_eq!(Name::lossy(" Cafe\u{301} ").as_str(), "Café");
    }

    #[test]
    fn text_that_deceives_is_refused_also_by_serde() {
        assert_eq!(Name::new("a\0b"), Err(InvalidText::Control));
        assert_eq!(Name::new("a\u{202E}b"), Err(InvalidText::Bidi));
        assert!(serde_json::from_str::<Name>("\"a\\u0000b\"").is_err());
        assert!(serde_json::from_str::<Name>("\"\\ud800\"").is_err());
        assert!(serde_json::from_str::<Name>("\"\"").is_err());
    }

    #[test]
    fn a_name_shows_only_where_it_is_asked_for() {
        let name = PersonName::new("Ana López").unwrap();
        assert_eq!(format!("{name} {name:?}"), "Ana López PersonName(***)");
    }
}
