//! Caches in use: a dead one costs nothing, nobody stampedes, and nothing that was changed comes back.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a failing step is a failing test

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use commerce_adapters_memory::{MemoryCache, MemoryRateLimiter, MemoryStore};
use commerce_core::app::caching::{
    CachePolicy, Cached, Invalidator, Layered, Lenient, Loaded, Losable, Sink, WriteBehind, breaking,
};
use commerce_core::kernel::error::{Effect, PortErrorKind};
use commerce_core::kernel::stream::{Position, Version};
use commerce_core::port::cache::{
    Cache, CacheKey, CachePrefix, Entry, Fill, Found, Invalidation, Invalidations, Tag, Ticket, ttl,
};
use commerce_core::port::platform::Platform;
use commerce_core::port::rate_limiter::{Acquired, Limit, LimitKey, RateLimiter};
use commerce_core::port::store::{LogQuery, Store};
use commerce_core::prelude::*;
use commerce_core::value::Code;
use commerce_testkit::conformance::{CacheFixture, cache_checks, port};
use commerce_testkit::fake::{Clock, Gateway, Ids, Sleeper};
use commerce_testkit::shop::Shop;
use commerce_tests::cases;
use pollster::block_on;
use proptest::collection::vec;
use proptest::prelude::*;

fn platform(clock: &Clock) -> Platform {
    Platform {
        clock: Arc::new(clock.clone()),
        sleeper: Arc::new(Sleeper::jumping(clock.clone())),
        ids: Arc::new(Ids::seeded(1)),
    }
}

fn key(text: &str) -> CacheKey {
    text.parse().unwrap()
}

fn down() -> PortError {
    PortError::new(PortErrorKind::Unavailable, Effect::None, "moody", "call")
}

/// A cache that can be switched off.
#[derive(Debug, Clone)]
struct Moody {
    cache: MemoryCache,
    off: Arc<AtomicBool>,
    calls: Arc<AtomicU64>,
}

impl Moody {
    fn new(clock: &Clock) -> Self {
        let cache = MemoryCache::new(Arc::new(clock.clone()));
        Self { cache, off: Arc::default(), calls: Arc::default() }
    }

    fn ask(&self) -> Result<&MemoryCache, PortError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if self.off.load(Ordering::Relaxed) { Err(down()) } else { Ok(&self.cache) }
    }

    fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    fn switch(&self, off: bool) {
        self.off.store(off, Ordering::Relaxed);
    }
}

#[async_trait]
impl Cache for Moody {
    async fn get(&self, key: &CacheKey) -> Result<Found, PortError> {
        self.ask()?.get(key).await
    }
    async fn set(&self, key: &CacheKey, fill: Fill) -> Result<bool, PortError> {
        self.ask()?.set(key, fill).await
    }
    async fn remove(&self, key: &CacheKey, version: Option<Version>) -> Result<bool, PortError> {
        self.ask()?.remove(key, version).await
    }
    async fn remove_tag(&self, tag: &Tag) -> Result<(), PortError> {
        self.ask()?.remove_tag(tag).await
    }
    async fn remove_prefix(&self, prefix: &CachePrefix) -> Result<(), PortError> {
        self.ask()?.remove_prefix(prefix).await
    }
    async fn exists(&self, key: &CacheKey) -> Result<bool, PortError> {
        self.ask()?.exists(key).await
    }
    async fn refresh(&self, key: &CacheKey, ttl: Duration) -> Result<bool, PortError> {
        self.ask()?.refresh(key, ttl).await
    }
}

#[async_trait]
impl RateLimiter for Moody {
    async fn acquire(&self, key: &LimitKey, limit: Limit, cost: u32) -> Result<Acquired, PortError> {
        self.ask()?;
        MemoryRateLimiter::new(Arc::new(Clock::default())).acquire(key, limit, cost).await
    }
}

type Numbers = Cached<u64, PortError>;

async fn load(numbers: &Numbers, key: &CacheKey, value: u64) -> Option<u64> {
    let loaded = numbers.get(key, || async move { Ok(Loaded::new(Some(value))) }).await;
    loaded.unwrap().map(|value| *value)
}

#[test]
fn patterns_8_a_dead_cache_fails_no_call_and_costs_nothing() {
    let clock = Clock::default();
    let moody = Moody::new(&clock);
    let cache = breaking(Arc::new(moody.clone()), &platform(&clock));
    let numbers = Numbers::new(cache, CachePolicy::keeping(ttl::PRODUCT), 1);
    let mug = key("catalog:product:MUG:detail");
    block_on(async {
        moody.switch(true);
        for number in 0..100 {
            assert_eq!(load(&numbers, &mug, number).await, Some(number));
        }
        assert_eq!(moody.calls(), 5, "behind five failures nobody asks");
        moody.switch(false);
        clock.advance(Duration::from_secs(2));
        assert_eq!(load(&numbers, &mug, 100).await, Some(100));
        assert_eq!(load(&numbers, &mug, 101).await, Some(100), "it heals");
        let counts = numbers.counts();
        assert_eq!((counts.hits, counts.loads, counts.failures), (1, 101, 100));
        // A load's own error is the caller's.
        let failed = numbers.get(&key("catalog:product:CUP:detail"), || async { Err(down()) }).await;
        assert_eq!(failed, Err(down()));
    });
}

#[test]
fn that_there_is_nothing_is_kept_for_a_shorter_time() {
    let clock = Clock::default();
    let cache = MemoryCache::new(Arc::new(clock.clone()));
    let numbers = Numbers::new(Arc::new(cache), CachePolicy::keeping(ttl::PRODUCT), 1);
    let mug = key("catalog:product:MUG:detail");
    block_on(async {
        assert_eq!(numbers.get(&mug, || async { Ok(Loaded::new(None)) }).await, Ok(None));
        clock.advance(ttl::ABSENT.saturating_mul(8) / 10);
        assert_eq!(load(&numbers, &mug, 1).await, None);
        clock.advance(ttl::ABSENT / 5);
        assert_eq!(load(&numbers, &mug, 1).await, Some(1));
    });
}

#[test]
fn what_cannot_be_read_is_loaded_and_replaced() {
    let cache: Arc<dyn Cache> = Arc::new(MemoryCache::new(Arc::new(Clock::default())));
    let numbers = Numbers::new(cache.clone(), CachePolicy::keeping(ttl::PRODUCT), 1);
    let mug = key("catalog:product:MUG:detail");
    block_on(async {
        for value in [&b""[..], b"\x01x", b"\x02", b"\x00more"] {
            let entry = Entry { value: value.into(), version: Version::NONE, tags: vec![] };
            cache.set(&mug, Fill { entry, ttl: ttl::PRODUCT, since: None }).await.unwrap();
            assert_eq!(load(&numbers, &mug, 1).await, Some(1));
            assert_eq!(load(&numbers, &mug, 2).await, Some(2), "filled by whoever found nothing");
            assert_eq!(load(&numbers, &mug, 3).await, Some(2));
        }
    });
}

#[test]
fn spans_differ_by_up_to_a_tenth_and_follow_from_the_seed() {
    let spans = |seed| {
        let cache: Arc<dyn Cache> = Arc::new(MemoryCache::new(Arc::new(Clock::default())));
        let numbers = Numbers::new(cache.clone(), CachePolicy::keeping(ttl::PRODUCT), seed);
        block_on(async {
            let mut spans = Vec::new();
            for number in 0..100 {
                let key = key(&format!("catalog:product:{number}:detail"));
                load(&numbers, &key, number).await;
                let Found::Hit(_, left) = cache.get(&key).await.unwrap() else { panic!("it was filled") };
                spans.push(left);
            }
            spans
        })
    };
    let mut one = spans(1);
    assert_eq!(one, spans(1));
    assert_ne!(one, spans(2));
    assert!(one.iter().all(|span| *span <= ttl::PRODUCT && *span >= ttl::PRODUCT * 9 / 10));
    one.sort();
    one.dedup();
    assert!(one.len() > 90, "{}", one.len());
}

/// What readers and writers do, one step at a time.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// A reader misses and reads the store.
    Read(usize),
    /// A reader puts in what it has read.
    Fill(usize),
    /// A writer commits and then removes: the key without a version, with it, the tag, the prefix.
    Write(u8),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..4_usize).prop_map(Step::Read),
        3 => (0..4_usize).prop_map(Step::Fill),
        2 => (0..4_u8).prop_map(Step::Write),
        1 => (0..40_u64).prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(cases(512))]

    /// patterns-8: behind a removal nothing older is read, however slow those are who read it before.
    #[test]
    fn patterns_8_nothing_old_comes_back(steps in vec(step(), 1..60), versioned in any::<bool>()) {
        let clock = Clock::default();
        let cache = MemoryCache::new(Arc::new(clock.clone()));
        let (key, tag) = (key("a:b:c:d"), Tag::new("t").unwrap());
        let mut store = 1_u64;
        let mut readers: BTreeMap<usize, (Ticket, u64)> = BTreeMap::new();
        let version = |number: u64| Version::new(if versioned { number } else { 0 });
        for step in steps {
            block_on(async {
                match step {
                    Step::Read(who) => match cache.get(&key).await.unwrap() {
                        Found::Hit(entry, _) => assert_eq!(*entry.value, store.to_be_bytes()),
                        Found::Miss(ticket) => drop(readers.insert(who, (ticket, store))),
                    },
                    Step::Fill(who) => {
                        let Some((ticket, seen)) = readers.remove(&who) else { return };
                        let value = seen.to_be_bytes()[..].into();
                        let entry = Entry { value, version: version(seen), tags: vec![tag.clone()] };
                        let fill = Fill { entry, ttl: Duration::from_secs(30), since: Some(ticket) };
                        cache.set(&key, fill).await.unwrap();
                    }
                    Step::Write(how) => {
                        store += 1;
                        match how {
                            0 if versioned => drop(cache.remove(&key, Some(version(store))).await.unwrap()),
                            0 | 1 => drop(cache.remove(&key, None).await.unwrap()),
                            2 => cache.remove_tag(&tag).await.unwrap(),
                            _ => cache.remove_prefix(&CachePrefix::new(&["a"]).unwrap()).await.unwrap(),
                        }
                    }
                    // Readers take less than a removal is remembered.
                    Step::Wait(seconds) => {
                        clock.advance(Duration::from_secs(seconds));
                        if seconds > 20 {
                            readers.clear();
                        }
                    }
                }
                if let Found::Hit(entry, _) = cache.get(&key).await.unwrap() {
                    assert_eq!(*entry.value, store.to_be_bytes());
                }
            });
        }
    }
}

#[test]
fn patterns_9_write_through_stores_first_and_leaves_nothing_old() {
    let clock = Clock::default();
    let moody = Moody::new(&clock);
    let numbers = Numbers::new(Arc::new(moody.clone()), CachePolicy::keeping(ttl::PROFILE), 1);
    let ann = key("user:profile:ann:full");
    block_on(async {
        let stored = |value: u64| async move { Ok(Loaded::new(Some(value)).at(Version::new(value))) };
        numbers.write(&ann, || stored(1)).await.unwrap();
        assert_eq!(load(&numbers, &ann, 9).await, Some(1), "it is in the cache");
        // The process dies while it stores: the future is dropped.
        {
            let mut write = Box::pin(numbers.write(&ann, std::future::pending));
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(write.as_mut().poll(&mut context).is_pending());
        }
        assert!(!moody.cache.exists(&ann).await.unwrap(), "a crash leaves no entry");
        // The store fails.
        numbers.write(&ann, || stored(2)).await.unwrap();
        assert_eq!(numbers.write(&ann, || async { Err(down()) }).await, Err(down()));
        assert!(!moody.cache.exists(&ann).await.unwrap());
        // Whoever read the old value while it was stored does not put it back.
        let Found::Miss(ticket) = moody.cache.get(&ann).await.unwrap() else { panic!("it was removed") };
        numbers.write(&ann, || stored(4)).await.unwrap();
        let entry = Entry { value: b"\x013"[..].into(), version: Version::new(3), tags: vec![] };
        let late = Fill { entry, ttl: ttl::PROFILE, since: Some(ticket) };
        assert_eq!(moody.cache.set(&ann, late).await, Ok(false));
        // The cache is gone: the write succeeds. Later the older value is not there to be read.
        moody.switch(true);
        assert_eq!(numbers.write(&ann, || stored(5)).await, Ok(Some(Arc::new(5))));
        // Without a version nothing is put in.
        moody.switch(false);
        numbers.write(&ann, || async { Ok(Loaded::new(Some(6))) }).await.unwrap();
        assert!(!moody.cache.exists(&ann).await.unwrap());
    });
}

#[derive(Debug, Default)]
struct Views {
    written: Mutex<Vec<(CacheKey, u64)>>,
    off: AtomicBool,
}

#[derive(Debug)]
struct View(u64);
impl Losable for View {}

#[async_trait]
impl Sink<View> for Views {
    async fn write(&self, batch: Vec<(CacheKey, Arc<View>)>) -> Result<(), PortError> {
        if self.off.load(Ordering::Relaxed) {
            return Err(down());
        }
        self.written.lock().unwrap().extend(batch.into_iter().map(|(key, view)| (key, view.0)));
        Ok(())
    }
}

#[test]
fn write_behind_writes_the_latest_of_each_key_and_loses_nothing_while_it_lives() {
    let clock = Clock::default();
    let views = Arc::new(Views::default());
    let behind = WriteBehind::new(views.clone());
    let name = |number: u64| key(&format!("catalog:views:{number}:count"));
    block_on(async {
        for number in 0..300 {
            behind.write(name(number % 150), View(number)).await.unwrap();
        }
        assert_eq!(behind.waiting(&name(3)).map(|view| view.0), Some(153));
        views.off.store(true, Ordering::Relaxed);
        assert_eq!(behind.flush().await, Err(down()));
        views.off.store(false, Ordering::Relaxed);
        assert_eq!(behind.flush().await, Ok(100));
        behind.run(&platform(&clock), Duration::from_secs(1), std::future::ready(())).await;
        let mut written = views.written.lock().unwrap().clone();
        written.sort();
        let mut expected: Vec<_> = (150..300).map(|number| (name(number % 150), number)).collect();
        expected.sort();
        assert_eq!(written, expected);
        // Where too many wait, they are written first; where that fails, the caller is told.
        views.off.store(true, Ordering::Relaxed);
        for number in 0..10_000 {
            behind.write(name(number), View(number)).await.unwrap();
        }
        assert_eq!(behind.write(name(10_000), View(1)).await, Err(down()));
        assert!(behind.write(name(5), View(2)).await.is_ok(), "a newer value takes no room");
        views.off.store(false, Ordering::Relaxed);
        assert!(behind.write(name(10_000), View(1)).await.is_ok());
    });
}

/// Tells the first level of another process at once.
#[derive(Debug)]
struct Wire(Arc<dyn Cache>, AtomicBool);

#[async_trait]
impl Invalidations for Wire {
    async fn announce(&self, invalidation: &Invalidation) -> Result<(), PortError> {
        if self.1.load(Ordering::Relaxed) { Err(down()) } else { invalidation.apply(&*self.0).await }
    }
}

#[test]
fn two_levels_are_a_cache_also_between_processes() {
    let report = block_on(port(cache_checks(), || async {
        let clock = Clock::default();
        let level = || -> Arc<dyn Cache> { Arc::new(MemoryCache::new(Arc::new(clock.clone()))) };
        let (one, other, shared) = (level(), level(), level());
        let layered = |first: &Arc<dyn Cache>, far: &Arc<dyn Cache>| -> Arc<dyn Cache> {
            let wire = Arc::new(Wire(far.clone(), AtomicBool::new(false)));
            let layered = Layered::new(first.clone(), shared.clone()).telling(wire);
            Arc::new(layered.first_for(Duration::from_secs(3600)))
        };
        let caches = [layered(&one, &other), layered(&other, &one)];
        CacheFixture::new(caches, move |span| {
            clock.advance(span);
            std::future::ready(())
        })
    }));
    report.assert();
}

#[test]
fn a_message_that_went_missing_costs_the_span_of_the_first_level() {
    let clock = Clock::default();
    let level = || -> Arc<dyn Cache> { Arc::new(MemoryCache::new(Arc::new(clock.clone()))) };
    let (near, far, shared) = (level(), level(), level());
    let lost = Arc::new(Wire(far.clone(), AtomicBool::new(true)));
    let (here, there) = (Layered::new(near, shared.clone()).telling(lost), Layered::new(far, shared.clone()));
    let mug = key("catalog:product:MUG:detail");
    block_on(async {
        let entry = Entry { value: [1][..].into(), version: Version::new(1), tags: vec![] };
        shared.set(&mug, Fill { entry, ttl: ttl::PRODUCT, since: None }).await.unwrap();
        assert!(there.get(&mug).await.unwrap().entry().is_some());
        assert!(here.remove(&mug, None).await.is_err(), "the caller knows that others were not told");
        assert!(here.get(&mug).await.unwrap().entry().is_none());
        assert!(there.get(&mug).await.unwrap().entry().is_some());
        clock.advance(Duration::from_secs(5));
        assert!(there.get(&mug).await.unwrap().entry().is_none());
    });
}

#[test]
fn the_log_removes_what_a_process_that_died_did_not() {
    let clock = Clock::default();
    let store: Arc<dyn Store> = Arc::new(MemoryStore::with_clock(Arc::new(clock.clone())));
    let shop = Shop::on_shared(store.clone(), clock.clone(), Gateway::approving(), 1);
    let moody = Moody::new(&clock);
    let streams = || async {
        let page = store.read_all(LogQuery::after(Position::START, 100)).await.unwrap();
        page.events.iter().map(|event| event.stream.clone()).collect::<Vec<_>>()
    };
    block_on(async {
        shop.list("MUG", "12.50", 5).await.unwrap();
        let numbers = Numbers::new(Arc::new(moody.clone()), CachePolicy::keeping(ttl::PRODUCT), 1);
        let name = Code::new("cache").unwrap();
        let invalidator = Invalidator::new(name, Arc::new(moody.clone()));
        let runner = shop.staff().consumer(invalidator).unwrap();
        while !runner.round().await.unwrap().end {}
        // Made of every stream that is in the log by now.
        let stream = streams().await.first().unwrap().clone();
        let list = key("catalog:product:list:page:1");
        let made = Loaded::new(Some(1)).tagged(Tag::of(&stream).unwrap());
        numbers.get(&list, || async { Ok(made) }).await.unwrap();
        assert_eq!(load(&numbers, &list, 2).await, Some(1));
        // Committed, and nobody removes anything; then the cache is gone for a while.
        moody.switch(true);
        shop.list("CUP", "2.50", 5).await.unwrap();
        let tagged = streams().await.last().unwrap().clone();
        let round = runner.round().await.unwrap();
        assert!(round.outage && round.buried == 0, "{round:?}");
        moody.switch(false);
        let made = Loaded::new(Some(3)).tagged(Tag::of(&tagged).unwrap());
        let cup = key("catalog:product:CUP:detail");
        numbers.get(&cup, || async { Ok(made) }).await.unwrap();
        while !runner.round().await.unwrap().end {}
        assert_eq!(load(&numbers, &cup, 4).await, Some(4), "what the log says was removed");
        assert_eq!(load(&numbers, &list, 2).await, Some(1), "and nothing else");
    });
}

#[test]
fn a_limiter_that_is_gone_lets_everybody_through() {
    let clock = Clock::default();
    let moody = Moody::new(&clock);
    let lenient = Lenient::new(Arc::new(moody.clone()), &platform(&clock));
    let ann = LimitKey::new("user", "ann");
    block_on(async {
        moody.switch(true);
        for _ in 0..200 {
            let answer = lenient.acquire(&ann, Limit::PER_USER, 1).await;
            assert_eq!(answer, Ok(Acquired::Allowed { remaining: 99 }));
        }
        assert_eq!(moody.calls(), 5);
        moody.switch(false);
        let never = lenient.acquire(&ann, Limit::PER_USER, 101).await;
        assert!(never.is_ok(), "the circuit is still open");
        clock.advance(Duration::from_secs(2));
        let never = lenient.acquire(&ann, Limit::PER_USER, 101).await;
        assert_eq!(never.unwrap_err().kind, PortErrorKind::Invalid);
    });
}
