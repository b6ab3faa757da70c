//! Cache-aside and write-through: typed values over a cache that may be gone.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::flight::Flights;
use super::get::{Renewals, Seen};
use super::lock::Lock;
use super::stored::encode;
use crate::kernel::error::PortError;
use crate::kernel::stream::Version;
use crate::port::cache::{Cache, CacheKey, Entry, Fill, Invalidation, Tag, Ticket, ttl};
use crate::port::clock::Clock;
use crate::port::lease::Lease;
use crate::port::observer::{CacheOutcome, Observer, Signal, plain_name};
use crate::port::platform::Platform;
use crate::resilience::Backoff;
use crate::value::time::Timestamp;

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
    /// Answers out of the cache whose span was over.
    pub stale: u64,
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
    pub(super) cache: Arc<dyn Cache>,
    policy: CachePolicy,
    seed: AtomicU64,
    pub(super) flights: Flights<Result<Seen<T>, E>>,
    pub(super) renewals: Renewals,
    pub(super) lock: Option<Lock>,
    /// How long a value is given beyond its span, and by which clock.
    grace: Option<(Duration, Arc<dyn Clock>)>,
    observer: Option<Arc<dyn Observer>>,
    counts: [AtomicU64; 4],
}

/// Which count.
#[derive(Clone, Copy)]
pub(super) enum Count {
    Hit,
    Stale,
    Load,
    Failure,
}

impl<T, E> Cached<T, E> {
    /// Values in this cache, which best has a breaker around it, see [`breaking`](super::breaking). The jitter
    /// follows from the seed; processes have different ones.
    pub fn new(cache: Arc<dyn Cache>, policy: CachePolicy, seed: u64) -> Self {
        let seed = AtomicU64::new(seed);
        let (flights, renewals) = (Flights::default(), Renewals::default());
        Self {
            cache,
            policy,
            seed,
            flights,
            renewals,
            lock: None,
            grace: None,
            observer: None,
            counts: Default::default(),
        }
    }

    /// Of several processes that miss a key at the same time one loads: the one that has a lease of 2 s, of one
    /// of 1,024 names. The others look every 20 ms for what it has put into the cache, and load for themselves
    /// behind 2 s, or where the lease cannot be asked. For loads that are dear: it costs two calls of the lease.
    #[must_use]
    pub fn locked_by(mut self, lease: Arc<dyn Lease>, platform: &Platform) -> Self {
        self.lock = Some(Lock::by(lease, platform.clone()));
        self
    }

    /// Keeps values for `grace` longer than their span, and gives them then, while the first that asks loads them
    /// anew; that one waits for the load, and is given the old value where it fails. What was removed is not given.
    ///
    /// Whether a span is over tells this clock, which is best the same to a second in all processes. That there is
    /// no value is not kept longer.
    #[must_use]
    pub fn serving_stale(mut self, grace: Duration, clock: Arc<dyn Clock>) -> Self {
        self.grace = Some((grace, clock));
        self
    }

    /// What the cache was good for.
    pub fn counts(&self) -> CacheCounts {
        let [hits, stale, loads, failures] =
            self.counts.each_ref().map(|count| count.load(Ordering::Relaxed));
        CacheCounts { hits, stale, loads, failures }
    }

    /// Signals what becomes of every read, see [`Signal::CacheRead`]; of many that share a flight one is signalled.
    #[must_use]
    pub fn watched(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Counts, and signals where it is about an entry.
    pub(super) fn count(&self, what: Count, key: Option<&CacheKey>) {
        let [hits, stale, loads, failures] = &self.counts;
        let count = match what {
            Count::Hit => hits,
            Count::Stale => stale,
            Count::Load => loads,
            Count::Failure => failures,
        };
        count.fetch_add(1, Ordering::Relaxed);
        if let (Some(observer), Some(key)) = (&self.observer, key) {
            let outcome = match what {
                Count::Hit => CacheOutcome::Hit,
                Count::Stale => CacheOutcome::Stale,
                Count::Load => CacheOutcome::Loaded,
                Count::Failure => CacheOutcome::Failed,
            };
            let (service, entity) = (plain_name(key.service()), plain_name(key.entity()));
            observer.observe(&Signal::CacheRead { service, entity, outcome });
        }
    }

    fn span(&self, there_is_one: bool) -> Duration {
        let full = if there_is_one { self.policy.ttl } else { self.policy.absent };
        let jitter_percent = self.policy.jitter_percent;
        let shortened = Backoff { retries: 1, first: full, longest: full, jitter_percent };
        shortened.pause(1, self.seed.fetch_add(1, Ordering::Relaxed)).unwrap_or(full)
    }

    pub(super) fn is_over(&self, span_until: Timestamp) -> bool {
        self.grace.as_ref().is_some_and(|(_, clock)| clock.now() >= span_until)
    }
}

impl<T, E> Cached<T, E>
where
    T: Serialize + DeserializeOwned + Send + Sync,
    E: Clone + Send,
{
    /// What the cache says; nothing where it fails.
    pub(super) async fn ask<A: Send>(
        &self,
        key: Option<&CacheKey>,
        call: impl Future<Output = Result<A, PortError>> + Send,
    ) -> Option<A> {
        let answer = call.await;
        if answer.is_err() {
            self.count(Count::Failure, key);
        }
        answer.ok()
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
        self.ask(Some(key), self.cache.remove(key, None)).await;
        let stored = store().await;
        self.flights.part_with(key);
        let stored = stored?;
        let kept = stored.version > Version::NONE && self.fill(key, &stored, None).await;
        if !kept {
            // What was read while it was stored may be in the cache by now.
            let version = Some(stored.version).filter(|version| *version > Version::NONE);
            self.ask(Some(key), self.cache.remove(key, version)).await;
        }
        Ok(stored.value.map(Arc::new))
    }

    /// Whether the cache has answered; it may have refused.
    pub(super) async fn fill(&self, key: &CacheKey, loaded: &Loaded<T>, since: Option<Ticket>) -> bool {
        let (value, mut ttl) = (loaded.value.as_ref(), self.span(loaded.value.is_some()));
        let mut stale_from = None;
        if let (Some(_), Some((grace, clock))) = (value, &self.grace) {
            stale_from = Some(clock.now().plus(ttl));
            ttl = ttl.saturating_add(*grace);
        }
        let Some(value) = encode(value, stale_from) else { return false };
        let entry = Entry { value: value.into(), version: loaded.version, tags: loaded.tags.clone() };
        self.ask(Some(key), self.cache.set(key, Fill { entry, ttl, since })).await.is_some()
    }

    /// Removes what a commit has changed; whether the cache has taken it. Where it has not, what the log says
    /// removes it later, see [`Invalidator`](super::Invalidator).
    pub async fn invalidate(&self, invalidation: &Invalidation) -> bool {
        let of = if let Invalidation::Key(key, _) = invalidation { Some(key) } else { None };
        let taken = self.ask(of, invalidation.apply(&*self.cache)).await.is_some();
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
