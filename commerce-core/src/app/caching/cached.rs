//! Cache-aside and write-through: typed values over a cache that may be gone.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::flight::Flights;
use crate::kernel::error::PortError;
use crate::kernel::stream::Version;
use crate::port::cache::{Cache, CacheKey, Entry, Fill, Found, Invalidation, Tag, Ticket, ttl};
use crate::resilience::Backoff;

/// How long values are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CachePolicy {
    /// A value; see [`ttl`] for those of the source documents.
    pub ttl: Duration,
    /// That there is none.
    pub absent: Duration,
    /// By how much a span may be shortened, in percent, so that entries of one moment do not end together.
    pub jitter_percent: u8,
}

impl CachePolicy {
    /// Values are kept this long, less up to a tenth; that there is none, for half a minute.
    pub const fn keeping(ttl: Duration) -> Self {
        Self { ttl, absent: ttl::ABSENT, jitter_percent: 10 }
    }
}

/// What a load has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded<T> {
    /// The value, where there is one.
    pub value: Option<T>,
    /// Its version; [`Version::NONE`] where it has none.
    pub version: Version,
    /// What it was made of.
    pub tags: Vec<Tag>,
}

impl<T> Loaded<T> {
    /// A value, or that there is none.
    pub const fn new(value: Option<T>) -> Self {
        Self { value, version: Version::NONE, tags: Vec::new() }
    }

    /// At this version.
    #[must_use]
    pub const fn at(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// Made of this too.
    #[must_use]
    pub fn tagged(mut self, tag: Tag) -> Self {
        self.tags.push(tag);
        self
    }
}

/// What a cache was good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheCounts {
    /// Answers out of the cache.
    pub hits: u64,
    /// Loads from what the cache stands before.
    pub loads: u64,
    /// Calls of the cache that failed, and that nobody noticed.
    pub failures: u64,
}

/// Values of one type in a cache, read through it and written through it.
///
/// Whatever becomes of the cache, callers get what the load gives: an error of the cache is never theirs. All
/// that want the same key at the same time share one load, its errors included.
pub struct Cached<T, E> {
    cache: Arc<dyn Cache>,
    policy: CachePolicy,
    seed: AtomicU64,
    flights: Flights<Result<Option<Arc<T>>, E>>,
    counts: [AtomicU64; 3],
}

/// Which count.
#[derive(Clone, Copy)]
enum Count {
    Hit,
    Load,
    Failure,
}

impl<T, E> Cached<T, E> {
    /// Values in this cache, which best has a breaker around it, see [`breaking`](super::breaking). The jitter
    /// follows from the seed; processes have different ones.
    pub fn new(cache: Arc<dyn Cache>, policy: CachePolicy, seed: u64) -> Self {
        let seed = AtomicU64::new(seed);
        Self { cache, policy, seed, flights: Flights::default(), counts: Default::default() }
    }

    /// What the cache was good for.
    pub fn counts(&self) -> CacheCounts {
        let [hits, loads, failures] = self.counts.each_ref().map(|count| count.load(Ordering::Relaxed));
        CacheCounts { hits, loads, failures }
    }

    fn count(&self, what: Count) {
        let [hits, loads, failures] = &self.counts;
        let count = match what {
            Count::Hit => hits,
            Count::Load => loads,
            Count::Failure => failures,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    fn span(&self, there_is_one: bool) -> Duration {
        let full = if there_is_one { self.policy.ttl } else { self.policy.absent };
        let jitter_percent = self.policy.jitter_percent;
        let shortened = Backoff { retries: 1, first: full, longest: full, jitter_percent };
        shortened.pause(1, self.seed.fetch_add(1, Ordering::Relaxed)).unwrap_or(full)
    }
}

impl<T, E> Cached<T, E>
where
    T: Serialize + DeserializeOwned + Send + Sync,
    E: Clone + Send,
{
    /// What the cache says; nothing where it fails.
    async fn ask<A: Send>(&self, call: impl Future<Output = Result<A, PortError>> + Send) -> Option<A> {
        let answer = call.await;
        if answer.is_err() {
            self.count(Count::Failure);
        }
        answer.ok()
    }

    /// The value of a key, out of the cache or by this load; `None` where there is none.
    ///
    /// What is given is at most as old as the longest span that it is kept; behind an
    /// [`invalidate`](Self::invalidate) that the cache has taken it is loaded anew.
    ///
    /// # Errors
    ///
    /// Those of the load.
    pub async fn get<F>(&self, key: &CacheKey, load: impl FnOnce() -> F + Send) -> Result<Option<Arc<T>>, E>
    where
        F: Future<Output = Result<Loaded<T>, E>> + Send,
    {
        self.flights.join(key, || self.look_or_load(key, load)).await
    }

    async fn look_or_load<F>(
        &self,
        key: &CacheKey,
        load: impl FnOnce() -> F + Send,
    ) -> Result<Option<Arc<T>>, E>
    where
        F: Future<Output = Result<Loaded<T>, E>> + Send,
    {
        let found = self.ask(self.cache.get(key)).await;
        let ticket = match found {
            Some(Found::Hit(entry, _)) => {
                if let Some(value) = decode(&entry.value) {
                    self.count(Count::Hit);
                    return Ok(value.map(Arc::new));
                }
                // Written by another version of the program: the next one finds nothing and fills it.
                self.ask(self.cache.remove(key, None)).await;
                None
            }
            Some(Found::Miss(ticket)) => Some(ticket),
            None => None,
        };
        self.count(Count::Load);
        let loaded = load().await?;
        if let Some(ticket) = ticket {
            self.fill(key, &loaded, Some(ticket)).await;
        }
        Ok(loaded.value.map(Arc::new))
    }

    /// Stores a value and puts it into the cache: store first, so that nobody reads what may yet fail.
    ///
    /// The entry is removed before, so that a crash in between leaves none. A value without a version is not
    /// put in: nobody could tell it from one that was stored at the same time.
    ///
    /// # Errors
    ///
    /// Those of the store; the cache has no entry then.
    pub async fn write<F>(
        &self,
        key: &CacheKey,
        store: impl FnOnce() -> F + Send,
    ) -> Result<Option<Arc<T>>, E>
    where
        F: Future<Output = Result<Loaded<T>, E>> + Send,
    {
        self.ask(self.cache.remove(key, None)).await;
        let stored = store().await;
        self.flights.part_with(key);
        let stored = stored?;
        let kept = stored.version > Version::NONE && self.fill(key, &stored, None).await;
        if !kept {
            // What was read while it was stored may be in the cache by now.
            let version = Some(stored.version).filter(|version| *version > Version::NONE);
            self.ask(self.cache.remove(key, version)).await;
        }
        Ok(stored.value.map(Arc::new))
    }

    /// Whether the cache has answered; it may have refused.
    async fn fill(&self, key: &CacheKey, loaded: &Loaded<T>, since: Option<Ticket>) -> bool {
        let Some(value) = encode(loaded.value.as_ref()) else { return false };
        let entry = Entry { value: value.into(), version: loaded.version, tags: loaded.tags.clone() };
        let fill = Fill { entry, ttl: self.span(loaded.value.is_some()), since };
        self.ask(self.cache.set(key, fill)).await.is_some()
    }

    /// Removes what a commit has changed; whether the cache has taken it. Where it has not, what the log says
    /// removes it later, see [`Invalidator`](super::Invalidator).
    pub async fn invalidate(&self, invalidation: &Invalidation) -> bool {
        let taken = self.ask(invalidation.apply(&*self.cache)).await.is_some();
        match invalidation {
            Invalidation::Key(key, _) => self.flights.part_with(key),
            Invalidation::Tag(_) | Invalidation::Prefix(_) => self.flights.part_with_all(),
        }
        taken
    }
}

impl<T, E> fmt::Debug for Cached<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cached")
            .field("cache", &self.cache)
            .field("policy", &self.policy)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

/// A byte says whether there is a value; its JSON follows.
fn encode<T: Serialize>(value: Option<&T>) -> Option<Vec<u8>> {
    let mut bytes = vec![u8::from(value.is_some())];
    if let Some(value) = value {
        serde_json::to_writer(&mut bytes, value).ok()?;
    }
    Some(bytes)
}

#[allow(clippy::option_option)] // outside: whether it can be read; inside: whether there is a value
fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<Option<T>> {
    match bytes.split_first()? {
        (0, []) => Some(None),
        (1, json) => serde_json::from_slice(json).ok().map(Some),
        _ => None,
    }
}
