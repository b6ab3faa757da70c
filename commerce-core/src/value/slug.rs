//! The name of a thing in an address of the web.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Lower-case letters and digits in groups joined by single dashes, for example `green-tea-100g`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slug(Arc<str>);

/// Not a slug: one to 100 of `a-z`, `0-9` and single dashes between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a slug is one to 100 of a-z and 0-9, joined by single dashes")]
#[non_exhaustive]
pub struct InvalidSlug;

impl Slug {
    /// The most bytes that a slug takes.
    pub const MAX: usize = 100;

    /// Takes a slug; nothing is corrected, because two spellings would be two addresses.
    ///
    /// # Errors
    ///
    /// [`InvalidSlug`].
    pub fn new(raw: &str) -> Result<Self, InvalidSlug> {
        let group = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        if raw.len() > Self::MAX || !raw.split('-').all(group) {
            return Err(InvalidSlug);
        }
        Ok(Self(raw.into()))
    }

    /// The slug.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Slug {
    type Err = InvalidSlug;

    fn from_str(raw: &str) -> Result<Self, InvalidSlug> {
        Self::new(raw)
    }
}

impl TryFrom<String> for Slug {
    type Error = InvalidSlug;

    fn try_from(raw: String) -> Result<Self, InvalidSlug> {
        Self::new(&raw)
    }
}

impl From<Slug> for String {
    fn from(slug: Slug) -> Self {
        slug.0.as_ref().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_spelling_is_taken() {
        assert_eq!(Slug::new("green-tea-100g").unwrap().to_string(), "green-tea-100g");
        for raw in ["", "-", "a-", "-a", "a--b", "A", "é", "a b", "a/b"] {
            assert_eq!(Slug::new(raw), Err(InvalidSlug), "{raw}");
        }
        assert!(Slug::new(&"a".repeat(101)).is_err());
    }
}
