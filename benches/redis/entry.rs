//! Entries of a cache, with everything made beforehand that a raw call sends.

use commerce_core::port::cache::{CacheKey, Tag};

use crate::server::SHOP;

/// So many entries take turns, so that tasks want different ones.
pub(crate) const ENTRIES: u64 = 1000;

pub(crate) struct Known {
    pub(crate) key: CacheKey,
    /// What a plain command reads and writes.
    pub(crate) raw: String,
    /// What the cache's scripts are given: the entry, the marks, the memory of its removal.
    pub(crate) names: [String; 3],
    pub(crate) marks: [String; 4],
    pub(crate) tag: Tag,
}

impl Known {
    fn new(number: u64, scope: &str) -> Self {
        let key = CacheKey::new("catalog", "product", &number.to_string(), scope).unwrap();
        let name = |kind: &str| format!("{{{SHOP}}}:{kind}:{}", key.as_str());
        let names = [name("entry"), format!("{{{SHOP}}}:cache:marks"), name("gone")];
        Self {
            raw: name("raw"),
            marks: key.prefixes().map(|prefix| format!("p{}", prefix.as_str())),
            tag: Tag::new(&format!("product:{number}")).unwrap(),
            names,
            key,
        }
    }

    pub(crate) fn all(scope: &str) -> Vec<Self> {
        (0..ENTRIES).map(|number| Self::new(number, scope)).collect()
    }

    /// The entry of this number.
    pub(crate) fn of(all: &[Self], number: u64) -> &Self {
        &all[usize::try_from(number % ENTRIES).unwrap()]
    }
}
