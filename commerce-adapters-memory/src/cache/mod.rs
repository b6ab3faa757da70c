//! A cache within the process: the first level, or the only one.

mod marks;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::kernel::error::{Effect, PortError, PortErrorKind};
use commerce_core::kernel::stream::Version;
use commerce_core::port::cache::{
    Cache, CacheKey, CachePrefix, Entry, Fill, Found, MAX_TAGS, MAX_TTL, MIN_TTL, TOMBSTONE, Tag, Ticket,
};
use commerce_core::port::clock::Clock;
use commerce_core::value::time::Timestamp;

use crate::sync::{Mutex, MutexGuard, lock};
use marks::Marks;

/// The most entries, unless said otherwise.
const ENTRIES: usize = 10_000;
/// The most bytes of all values, unless said otherwise.
const BYTES: usize = 64 << 20;
/// The most removals of entries that are remembered; what was read before older ones is not put in.
const TOMBS: usize = 65_536;

/// A cache within the process; clones are one cache.
///
/// Keeps at most 10,000 entries and 64 MiB of values, unless said otherwise: what was not used for the longest
/// time leaves first.
#[derive(Clone)]
pub struct MemoryCache {
    clock: Arc<dyn Clock>,
    entries: usize,
    bytes: usize,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    slots: HashMap<CacheKey, Slot>,
    /// The slots by their last use.
    uses: BTreeMap<u64, CacheKey>,
    used: u64,
    bytes: usize,
    marks: Marks,
    tombs: HashMap<CacheKey, Tomb>,
    /// Which memories of removals end when, the next one first.
    ending: VecDeque<(Timestamp, CacheKey)>,
}

struct Slot {
    entry: Entry,
    /// When it was put in, in removals.
    since: u64,
    until: Timestamp,
    used: u64,
}

/// The memory of an entry that was removed.
#[derive(Clone, Copy)]
struct Tomb {
    version: Version,
    /// When it was removed without a version, in removals.
    removed: u64,
    until: Timestamp,
}

impl MemoryCache {
    /// An empty cache.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, entries: ENTRIES, bytes: BYTES, inner: Arc::default() }
    }

    /// Keeps at most so many entries, of so many bytes in all.
    #[must_use]
    pub const fn holding(mut self, entries: usize, bytes: usize) -> Self {
        (self.entries, self.bytes) = (entries, bytes);
        self
    }

    /// How many entries it keeps, those that are over or removed included.
    pub fn len(&self) -> usize {
        self.lock().slots.len()
    }

    /// Whether it keeps nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }
}

impl fmt::Debug for MemoryCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryCache").field("entries", &self.len()).finish_non_exhaustive()
    }
}

impl Inner {
    /// The slot of a key, as one that was just used; without one that is over.
    fn slot(&mut self, key: &CacheKey, now: Timestamp) -> Option<&mut Slot> {
        if self.slots.get(key)?.until <= now {
            self.drop_slot(key);
            return None;
        }
        self.used = self.used.saturating_add(1);
        let slot = self.slots.get_mut(key)?;
        if let Some(key) = self.uses.remove(&slot.used) {
            self.uses.insert(self.used, key);
        }
        slot.used = self.used;
        Some(slot)
    }

    /// The slot of a key whose entry can be read.
    fn live(&mut self, key: &CacheKey, now: Timestamp) -> Option<&mut Slot> {
        let slot = self.slot(key, now)?;
        let (since, tags) = (slot.since, slot.entry.tags.clone());
        if self.marks.stands(key, &tags, since) { self.slots.get_mut(key) } else { None }
    }

    fn tomb(&self, key: &CacheKey, now: Timestamp) -> Tomb {
        let known = self.tombs.get(key).filter(|tomb| tomb.until > now);
        known.copied().unwrap_or(Tomb { version: Version::NONE, removed: 0, until: now })
    }

    fn bury(&mut self, key: &CacheKey, tomb: Tomb, now: Timestamp) {
        self.tombs.insert(key.clone(), tomb);
        self.ending.push_back((tomb.until, key.clone()));
        while self.ending.front().is_some_and(|(until, _)| *until <= now) || self.ending.len() > TOMBS {
            let Some((until, key)) = self.ending.pop_front() else { break };
            // Of an entry that was removed again the later memory counts.
            if self.tombs.get(&key).is_some_and(|tomb| tomb.until == until) {
                self.tombs.remove(&key);
                if until > now {
                    self.marks.forget();
                }
            }
        }
    }

    fn drop_slot(&mut self, key: &CacheKey) {
        if let Some(slot) = self.slots.remove(key) {
            self.uses.remove(&slot.used);
            self.bytes = self.bytes.saturating_sub(slot.entry.value.len());
        }
    }

    fn put(&mut self, key: &CacheKey, mut slot: Slot) {
        self.drop_slot(key);
        self.used = self.used.saturating_add(1);
        slot.used = self.used;
        self.bytes = self.bytes.saturating_add(slot.entry.value.len());
        self.uses.insert(slot.used, key.clone());
        self.slots.insert(key.clone(), slot);
    }

    fn shrink(&mut self, entries: usize, bytes: usize) {
        while (self.slots.len() > entries || self.bytes > bytes)
            && let Some((_, oldest)) = self.uses.first_key_value()
        {
            let oldest = oldest.clone();
            self.drop_slot(&oldest);
        }
    }
}

#[async_trait]
impl Cache for MemoryCache {
    async fn get(&self, key: &CacheKey) -> Result<Found, PortError> {
        let now = self.clock.now();
        let mut inner = self.lock();
        let hit = inner.live(key, now).map(|slot| (slot.entry.clone(), slot.until.since(now)));
        Ok(match hit {
            Some((entry, left)) => Found::Hit(entry, left),
            None => Found::Miss(Ticket::new(inner.marks.now())),
        })
    }

    async fn set(&self, key: &CacheKey, fill: Fill) -> Result<bool, PortError> {
        let Fill { entry, ttl, since } = fill;
        if entry.tags.len() > MAX_TAGS {
            return Err(PortError::new(PortErrorKind::Invalid, Effect::None, "memory cache", "set"));
        }
        let now = self.clock.now();
        let mut inner = self.lock();
        let before = inner.slot(key, now).map_or(Version::NONE, |slot| slot.entry.version);
        let tomb = inner.tomb(key, now);
        let late = since.is_some_and(|ticket| {
            tomb.removed > ticket.number() || !inner.marks.admits(key, &entry.tags, ticket)
        });
        if late || entry.version < before.max(tomb.version) {
            return Ok(false);
        }
        let until = now.plus(ttl.clamp(MIN_TTL, MAX_TTL));
        let since = inner.marks.now();
        inner.put(key, Slot { entry, since, until, used: 0 });
        inner.shrink(self.entries, self.bytes);
        Ok(true)
    }

    async fn remove(&self, key: &CacheKey, version: Option<Version>) -> Result<bool, PortError> {
        let now = self.clock.now();
        let mut inner = self.lock();
        let live = inner.live(key, now).is_some();
        let before = inner.slot(key, now).map_or(Version::NONE, |slot| slot.entry.version);
        if live && version.is_some_and(|version| before >= version) {
            return Ok(false);
        }
        inner.drop_slot(key);
        let (known, count) = (inner.tomb(key, now), inner.marks.count());
        let tomb = Tomb {
            version: known.version.max(before).max(version.unwrap_or(Version::NONE)),
            removed: if version.is_none() { count } else { known.removed },
            until: now.plus(TOMBSTONE),
        };
        inner.bury(key, tomb, now);
        Ok(live)
    }

    async fn remove_tag(&self, tag: &Tag) -> Result<(), PortError> {
        self.lock().marks.tag(tag);
        Ok(())
    }

    async fn remove_prefix(&self, prefix: &CachePrefix) -> Result<(), PortError> {
        self.lock().marks.prefix(prefix);
        Ok(())
    }

    async fn exists(&self, key: &CacheKey) -> Result<bool, PortError> {
        let now = self.clock.now();
        Ok(self.lock().live(key, now).is_some())
    }

    async fn refresh(&self, key: &CacheKey, ttl: Duration) -> Result<bool, PortError> {
        let now = self.clock.now();
        let mut inner = self.lock();
        let Some(slot) = inner.live(key, now) else { return Ok(false) };
        slot.until = now.plus(ttl.clamp(MIN_TTL, MAX_TTL));
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use commerce_core::port::cache::{Entry, Fill};
    use pollster::block_on;

    use super::*;
    use crate::SystemClock;

    fn key(name: &str) -> CacheKey {
        CacheKey::new("shop", "thing", name, "all").unwrap()
    }

    fn fill(bytes: usize, since: Option<Ticket>) -> Fill {
        let entry = Entry { value: vec![0; bytes].into(), version: Version::NONE, tags: Vec::new() };
        Fill { entry, ttl: Duration::from_secs(60), since }
    }

    #[test]
    fn what_was_not_used_for_the_longest_time_leaves_first() {
        let cache = MemoryCache::new(Arc::new(SystemClock)).holding(3, 10);
        block_on(async {
            for name in ["a", "b", "c"] {
                assert!(cache.set(&key(name), fill(2, None)).await.unwrap());
            }
            assert!(cache.exists(&key("a")).await.unwrap());
            assert!(cache.set(&key("d"), fill(2, None)).await.unwrap());
            assert!(!cache.exists(&key("b")).await.unwrap() && cache.len() == 3);
            assert!(cache.set(&key("e"), fill(8, None)).await.unwrap());
            assert!(cache.exists(&key("e")).await.unwrap() && cache.exists(&key("d")).await.unwrap());
            assert_eq!(cache.len(), 2);
            // What is larger than all of it is not kept at all.
            cache.set(&key("f"), fill(11, None)).await.unwrap();
            assert!(cache.is_empty());
        });
    }

    #[test]
    fn a_removal_that_is_forgotten_lets_nothing_old_in() {
        let cache = MemoryCache::new(Arc::new(SystemClock));
        block_on(async {
            let Found::Miss(ticket) = cache.get(&key("a")).await.unwrap() else { panic!("nothing is there") };
            for number in 0..65_536 {
                cache.remove(&key(&number.to_string()), None).await.unwrap();
            }
            assert_eq!(cache.set(&key("b"), fill(1, Some(ticket))).await, Ok(true));
            cache.remove(&key("a"), None).await.unwrap();
            assert_eq!(cache.set(&key("c"), fill(1, Some(ticket))).await, Ok(false));
        });
    }

    #[test]
    fn many_tags_are_remembered_and_no_more() {
        let cache = MemoryCache::new(Arc::new(SystemClock));
        block_on(async {
            assert!(cache.set(&key("a"), fill(1, None)).await.unwrap());
            for number in 0..65_536 {
                cache.remove_tag(&Tag::new(&number.to_string()).unwrap()).await.unwrap();
            }
            assert!(cache.exists(&key("a")).await.unwrap());
            cache.remove_tag(&Tag::new("one more").unwrap()).await.unwrap();
            assert!(!cache.exists(&key("a")).await.unwrap());
        });
    }
}
