//! Caches: copies that may be gone at any moment, and that never come back once they were removed.

pub mod key;
pub mod ttl;

use std::fmt::{self, Debug};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use key::{CacheKey, CachePrefix, InvalidCacheName, MAX_NAME, Tag};

use crate::kernel::error::PortError;
use crate::kernel::stream::Version;

/// The longest that an entry is kept; longer spans count as this.
pub const MAX_TTL: Duration = Duration::from_secs(24 * 60 * 60);
/// The shortest that an entry is kept; shorter spans count as this.
pub const MIN_TTL: Duration = Duration::from_millis(1);
/// How long the removal of one entry is remembered, so that what was read before it is not put back.
pub const TOMBSTONE: Duration = Duration::from_secs(60);
/// The most tags of an entry.
pub const MAX_TAGS: usize = 64;

/// When a cache was asked, in its own reckoning: what was removed behind it is not put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

impl Ticket {
    /// Built by a cache.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Read by the cache that built it.
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// What is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The bytes; only those that wrote them can read them.
    pub value: Arc<[u8]>,
    /// The version of what it is a copy of; [`Version::NONE`] where it has none.
    pub version: Version,
    /// What it was made of, at most [`MAX_TAGS`].
    pub tags: Vec<Tag>,
}

/// Without the value, which may be a customer's.
impl Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("bytes", &self.value.len())
            .field("version", &self.version)
            .field("tags", &self.tags)
            .finish()
    }
}

/// What a cache has under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// An entry, and how long it is still kept.
    Hit(Entry, Duration),
    /// Nothing; the ticket goes with what is read elsewhere and put here.
    Miss(Ticket),
}

impl Found {
    /// The entry.
    pub fn entry(self) -> Option<Entry> {
        match self {
            Self::Hit(entry, _) => Some(entry),
            Self::Miss(_) => None,
        }
    }
}

/// What is put into a cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fill {
    /// The entry.
    pub entry: Entry,
    /// How long it is kept, between [`MIN_TTL`] and [`MAX_TTL`].
    pub ttl: Duration,
    /// The ticket of the miss that had it read; none where it was just written and is new for certain.
    pub since: Option<Ticket>,
}

/// Keeps copies of what is stored elsewhere. A call that fails, or whose effect is unknown, leaves at worst an
/// entry that ends with its span.
#[async_trait]
pub trait Cache: Debug + Send + Sync + 'static {
    /// What is kept under a key.
    ///
    /// # Contract
    ///
    /// The last entry that was taken, until its span is over or it is removed; possibly nothing before that.
    /// Never an entry that was removed. Does not extend the span.
    async fn get(&self, key: &CacheKey) -> Result<Found, PortError>;

    /// Puts an entry under a key; whether it was taken.
    ///
    /// # Contract
    ///
    /// Refused where the version is below that of the entry that is there, or of a removal at most
    /// [`TOMBSTONE`] ago; and, where it bears a ticket, where behind that ticket the entry was removed without
    /// a version, or one of its tags or prefixes was removed. Also refused may be a version below that of an
    /// entry which was removed with a tag or a prefix. Replaces otherwise, whole and at once, also an entry of
    /// the same version. `Invalid` for more than [`MAX_TAGS`] tags. Repeating it is harmless.
    async fn set(&self, key: &CacheKey, fill: Fill) -> Result<bool, PortError>;

    /// Removes an entry that is older than `version`, or any where there is none; whether one was there.
    ///
    /// # Contract
    ///
    /// An entry of this version or a newer one stays. The version, or that of what is removed, is remembered
    /// for [`TOMBSTONE`]. Holds for all that read the same cache when it returns. Repeating it is harmless.
    async fn remove(&self, key: &CacheKey, version: Option<Version>) -> Result<bool, PortError>;

    /// Removes every entry of a tag.
    ///
    /// # Contract
    ///
    /// Exactly those, whatever their number, at once. As for [`remove`](Self::remove), but without versions.
    async fn remove_tag(&self, tag: &Tag) -> Result<(), PortError>;

    /// Removes every entry whose key begins with a prefix.
    ///
    /// # Contract
    ///
    /// As for [`remove_tag`](Self::remove_tag).
    async fn remove_prefix(&self, prefix: &CachePrefix) -> Result<(), PortError>;

    /// Whether there is an entry.
    ///
    /// # Contract
    ///
    /// As [`get`](Self::get), without the entry.
    async fn exists(&self, key: &CacheKey) -> Result<bool, PortError>;

    /// Lets an entry be kept for `ttl` from now; whether there is one.
    ///
    /// # Contract
    ///
    /// Brings nothing back. Shortens too. Repeating it is harmless.
    async fn refresh(&self, key: &CacheKey, ttl: Duration) -> Result<bool, PortError>;
}

/// What was removed from a cache, for others that keep copies of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invalidation {
    /// An entry older than a version, or any.
    Key(CacheKey, Option<Version>),
    /// The entries of a tag.
    Tag(Tag),
    /// The entries of a prefix.
    Prefix(CachePrefix),
}

impl Invalidation {
    /// Removes the same from a cache.
    ///
    /// # Errors
    ///
    /// Those of the cache.
    pub async fn apply(&self, cache: &dyn Cache) -> Result<(), PortError> {
        match self {
            Self::Key(key, version) => cache.remove(key, *version).await.map(drop),
            Self::Tag(tag) => cache.remove_tag(tag).await,
            Self::Prefix(prefix) => cache.remove_prefix(prefix).await,
        }
    }
}

/// Tells other processes what was removed.
#[async_trait]
pub trait Invalidations: Debug + Send + Sync + 'static {
    /// Tells it to everybody who listens now.
    ///
    /// # Contract
    ///
    /// At most once: whoever does not listen at the moment misses it, and removes everything when it listens
    /// again. Repeating it is harmless.
    async fn announce(&self, invalidation: &Invalidation) -> Result<(), PortError>;
}
