//! The cache in memory keeps the contract of `Cache`, and the checks bite.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use commerce_adapters_memory::MemoryCache;
use commerce_core::kernel::error::PortError;
use commerce_core::kernel::stream::Version;
use commerce_core::port::cache::{Cache, CacheKey, CachePrefix, Fill, Found, MAX_TAGS, Tag, Ticket};
use commerce_testkit::conformance::{CacheFixture, Verdict, cache_checks, port, run_port};
use commerce_testkit::fake::Clock;
use pollster::block_on;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    ForgetsTags,
    NeverEnds,
    SlidesOnGet,
    TakesOlder,
    RemovesNothing,
    RemovesNewer,
    ForgetsVersions,
    IgnoresTickets,
    RefusesByTicketAlone,
    RemovesAllForATag,
    ForgetsTicketsOfTags,
    RemovesTooMuch,
    RefreshesNothing,
    TakesManyTags,
}

#[derive(Debug)]
struct Broken(MemoryCache, Option<Flaw>);

impl Broken {
    fn is(&self, flaw: Flaw) -> bool {
        self.1 == Some(flaw)
    }
}

#[async_trait]
impl Cache for Broken {
    async fn get(&self, key: &CacheKey) -> Result<Found, PortError> {
        let mut found = self.0.get(key).await?;
        if let Found::Hit(entry, left) = &mut found {
            if self.is(Flaw::ForgetsTags) {
                entry.tags.clear();
            }
            if self.is(Flaw::SlidesOnGet) {
                self.0.refresh(key, left.saturating_mul(2)).await?;
            }
        }
        Ok(found)
    }

    async fn set(&self, key: &CacheKey, mut fill: Fill) -> Result<bool, PortError> {
        match self.1 {
            Some(Flaw::NeverEnds) => fill.ttl = Duration::from_secs(3600),
            Some(Flaw::TakesOlder) => {
                // As a plain cache would: whatever was there is gone.
                let fresh = fill.entry.version.max(Version::new(u64::MAX - 1));
                fill.entry.version = fresh;
            }
            Some(Flaw::IgnoresTickets) => fill.since = None,
            Some(Flaw::ForgetsTicketsOfTags) if !fill.entry.tags.is_empty() => fill.since = None,
            Some(Flaw::RefusesByTicketAlone) if fill.since == Some(Ticket::new(0)) => return Ok(false),
            Some(Flaw::TakesManyTags) => fill.entry.tags.truncate(MAX_TAGS),
            _ => {}
        }
        self.0.set(key, fill).await
    }

    async fn remove(&self, key: &CacheKey, version: Option<Version>) -> Result<bool, PortError> {
        match self.1 {
            Some(Flaw::RemovesNothing) => self.0.exists(key).await,
            Some(Flaw::RemovesNewer) => self.0.remove(key, None).await,
            Some(Flaw::ForgetsVersions) => {
                let there = self.0.exists(key).await?;
                let [.., own] = key.prefixes();
                self.0.remove_prefix(&own).await?;
                Ok(there)
            }
            _ => self.0.remove(key, version).await,
        }
    }

    async fn remove_tag(&self, tag: &Tag) -> Result<(), PortError> {
        if self.is(Flaw::RemovesAllForATag) {
            self.0.remove_prefix(&CachePrefix::everything()).await?;
        }
        self.0.remove_tag(tag).await
    }

    async fn remove_prefix(&self, prefix: &CachePrefix) -> Result<(), PortError> {
        let wider: Vec<&str> = prefix.as_str().split(':').take(1).filter(|part| !part.is_empty()).collect();
        let wider = CachePrefix::new(&wider).unwrap();
        self.0.remove_prefix(if self.is(Flaw::RemovesTooMuch) { &wider } else { prefix }).await
    }

    async fn exists(&self, key: &CacheKey) -> Result<bool, PortError> {
        self.0.exists(key).await
    }

    async fn refresh(&self, key: &CacheKey, ttl: Duration) -> Result<bool, PortError> {
        if self.is(Flaw::RefreshesNothing) {
            self.0.exists(key).await
        } else {
            self.0.refresh(key, ttl).await
        }
    }
}

fn fixture(flaw: Option<Flaw>) -> CacheFixture {
    let clock = Clock::default();
    let cache = MemoryCache::new(Arc::new(clock.clone()));
    let handle = || -> Arc<dyn Cache> { Arc::new(Broken(cache.clone(), flaw)) };
    CacheFixture::new([handle(), handle()], move |span| {
        clock.advance(span);
        std::future::ready(())
    })
}

#[test]
fn the_cache_in_memory_conforms() {
    let report = block_on(port(cache_checks(), || async { fixture(None) }));
    report.assert();
    assert!(report.skipped().is_empty());
}

#[test]
fn every_check_catches_a_break() {
    let breaks = [
        ("cache_gives_what_was_set", Flaw::ForgetsTags),
        ("cache_entries_end_with_their_span", Flaw::NeverEnds),
        ("cache_entries_end_with_their_span", Flaw::SlidesOnGet),
        ("cache_refuses_what_is_older", Flaw::TakesOlder),
        ("cache_removes_an_entry", Flaw::RemovesNothing),
        ("cache_keeps_what_is_newer_than_a_removal", Flaw::RemovesNewer),
        ("cache_remembers_the_version_of_a_removal", Flaw::ForgetsVersions),
        ("cache_refuses_what_was_read_before_a_removal", Flaw::IgnoresTickets),
        ("cache_lets_the_version_decide_where_there_is_one", Flaw::RefusesByTicketAlone),
        ("cache_removes_by_tag", Flaw::RemovesAllForATag),
        ("cache_refuses_what_was_read_before_its_tag_was_removed", Flaw::ForgetsTicketsOfTags),
        ("cache_removes_by_prefix", Flaw::RemovesTooMuch),
        ("cache_refreshes", Flaw::RefreshesNothing),
        ("cache_limits_tags", Flaw::TakesManyTags),
    ];
    for check in cache_checks() {
        let flaws: Vec<_> = breaks.iter().filter(|(name, _)| *name == check.name).collect();
        assert!(!flaws.is_empty(), "{} catches nothing", check.name);
        for (name, flaw) in flaws {
            let verdict = block_on(run_port(&check, &|| async move { fixture(Some(*flaw)) }));
            assert!(matches!(verdict, Verdict::Failed(_)), "{name} {flaw:?}: {verdict:?}");
        }
    }
}
