//! What entries of a cache are called, and what they are grouped by.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::kernel::stream::StreamId;

/// The most bytes of a key, a prefix or a tag.
pub const MAX_NAME: usize = 512;

/// A name that does not follow the convention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not {{service}}:{{entity}}:{{identifier}}:{{scope}} of printable characters")]
#[non_exhaustive]
pub struct InvalidCacheName;

/// Names an entry: `{service}:{entity}:{identifier}:{scope}`, for example `catalog:product:MUG:detail`.
///
/// Only the scope may hold colons: `catalog:product:list:page:1:size:20`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CacheKey {
    text: Arc<str>,
    /// Where each of the first three parts ends, its colon included.
    ends: [usize; 3],
}

impl CacheKey {
    /// The entry of these four parts.
    ///
    /// # Errors
    ///
    /// [`InvalidCacheName`]: a part is empty, holds a character that is not printed, or, except for the scope,
    /// a colon; or the whole is longer than [`MAX_NAME`].
    pub fn new(service: &str, entity: &str, identifier: &str, scope: &str) -> Result<Self, InvalidCacheName> {
        let parts = [service, entity, identifier];
        if parts.iter().any(|part| !is_part(part)) || !is_text(scope) {
            return Err(InvalidCacheName);
        }
        let text = format!("{service}:{entity}:{identifier}:{scope}");
        if text.len() > MAX_NAME {
            return Err(InvalidCacheName);
        }
        let mut end = 0_usize;
        let ends = parts.map(|part| {
            end = end.saturating_add(part.len()).saturating_add(1);
            end
        });
        Ok(Self { text: text.into(), ends })
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first part.
    pub fn service(&self) -> &str {
        self.text.split(':').next().unwrap_or("")
    }

    /// The second part.
    pub fn entity(&self) -> &str {
        self.text.split(':').nth(1).unwrap_or("")
    }

    /// Every prefix that takes this entry in, the widest first.
    pub fn prefixes(&self) -> [CachePrefix; 4] {
        let [service, entity, identifier] = self.ends;
        [0, service, entity, identifier].map(|end| CachePrefix(self.text.get(..end).unwrap_or("").into()))
    }
}

impl FromStr for CacheKey {
    type Err = InvalidCacheName;

    fn from_str(text: &str) -> Result<Self, InvalidCacheName> {
        let mut parts = text.splitn(4, ':');
        let mut next = || parts.next().ok_or(InvalidCacheName);
        Self::new(next()?, next()?, next()?, next()?)
    }
}

impl fmt::Display for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Without the identifier and the scope, which may be a customer's.
impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [_, entity, _] = self.ends;
        write!(f, "CacheKey({}…)", self.text.get(..entity).unwrap_or(""))
    }
}

/// Names all entries whose keys begin with the same whole parts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CachePrefix(Arc<str>);

impl CachePrefix {
    /// Every entry of the cache.
    pub fn everything() -> Self {
        Self("".into())
    }

    /// The entries whose first parts are these: of a service, an entity, or an identifier.
    ///
    /// # Errors
    ///
    /// [`InvalidCacheName`] as for keys, and where there are more than three parts.
    pub fn new(parts: &[&str]) -> Result<Self, InvalidCacheName> {
        if parts.len() > 3 || parts.iter().any(|part| !is_part(part)) {
            return Err(InvalidCacheName);
        }
        let text: String = parts.iter().flat_map(|part| [*part, ":"]).collect();
        if text.len() > MAX_NAME { Err(InvalidCacheName) } else { Ok(Self(text.into())) }
    }

    /// What the keys begin with; ends with a colon unless it is empty.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it takes this entry in.
    pub fn covers(&self, key: &CacheKey) -> bool {
        key.text.starts_with(&*self.0)
    }
}

impl FromStr for CachePrefix {
    type Err = InvalidCacheName;

    fn from_str(text: &str) -> Result<Self, InvalidCacheName> {
        match text.strip_suffix(':') {
            Some(parts) => Self::new(&parts.split(':').collect::<Vec<_>>()),
            None if text.is_empty() => Ok(Self::everything()),
            None => Err(InvalidCacheName),
        }
    }
}

/// What an entry was made of, such as an aggregate: all entries of a tag are removed at once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(Arc<str>);

impl Tag {
    /// The tag of this name.
    ///
    /// # Errors
    ///
    /// [`InvalidCacheName`] where it is empty, longer than [`MAX_NAME`], or holds what is not printed.
    pub fn new(name: &str) -> Result<Self, InvalidCacheName> {
        if is_text(name) && name.len() <= MAX_NAME { Ok(Self(name.into())) } else { Err(InvalidCacheName) }
    }

    /// The tag of what is made of an aggregate: `product:0190…`.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new); no aggregate of the library is called so.
    pub fn of(stream: &StreamId) -> Result<Self, InvalidCacheName> {
        Self::new(&stream.to_string())
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_text(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}

fn is_part(part: &str) -> bool {
    is_text(part) && !part.contains(':')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_convention_is_kept() {
        let key = CacheKey::new("catalog", "product", "list", "page:1:size:20").unwrap();
        assert_eq!(key.as_str(), "catalog:product:list:page:1:size:20");
        assert_eq!(key.as_str().parse(), Ok(key.clone()));
        let prefixes = key.prefixes().map(|prefix| prefix.as_str().to_owned());
        assert_eq!(prefixes, ["", "catalog:", "catalog:product:", "catalog:product:list:"]);
        for wrong in ["", "a", "a:b", "a:b:c", "a:b:c:", ":b:c:d", "a::c:d", "a:b:c:d\n", &"a".repeat(600)] {
            assert_eq!(wrong.parse::<CacheKey>(), Err(InvalidCacheName), "{wrong:?}");
        }
        for wrong in ["a", "a:b", "a:b:c:d:", ":", "a::"] {
            assert_eq!(wrong.parse::<CachePrefix>(), Err(InvalidCacheName), "{wrong:?}");
        }
        assert!(Tag::new("").is_err() && Tag::new("a\tb").is_err() && Tag::new("product:1").is_ok());
    }

    #[test]
    fn a_key_is_shown_without_what_may_be_a_customers() {
        let key = CacheKey::new("user", "profile", "ann@example.com", "full").unwrap();
        assert_eq!(format!("{key:?}"), "CacheKey(user:profile:…)");
    }

    proptest! {
        /// A prefix ends with a whole part, so `product:1` takes nothing of `product:10` in.
        #[test]
        fn patterns_9_a_prefix_covers_what_begins_with_its_parts(
            key in prop::array::uniform4("[ab1]{1,2}"),
            prefix in prop::collection::vec("[ab1]{1,2}", 0..4),
        ) {
            let [service, entity, identifier, scope] = &key;
            let named = CacheKey::new(service, entity, identifier, scope).unwrap();
            let parts: Vec<&str> = prefix.iter().map(String::as_str).collect();
            let covered = CachePrefix::new(&parts).unwrap();
            let expected = key.iter().zip(&prefix).all(|(part, wanted)| part == wanted);
            prop_assert_eq!(covered.covers(&named), expected);
            prop_assert_eq!(named.prefixes().contains(&covered), expected);
            prop_assert_eq!(covered.as_str().parse(), Ok(covered.clone()));
        }
    }
}
