//! Old values while new ones are loaded, and one load for many processes.
#![allow(clippy::unwrap_used)] // a failing step is a failing test

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use commerce_adapters_memory::{MemoryCache, MemoryStore};
use commerce_core::app::caching::{CachePolicy, Cached, Layered, Loaded};
use commerce_core::port::cache::{Cache, CacheKey, Invalidation};
use commerce_core::port::lease::Lease;
use commerce_core::port::platform::Platform;
use commerce_testkit::fake::{Clock, Ids, Sleeper};
use commerce_testkit::faulty::{Fault, Faults, Faulty, Port, Rates, Script};

const SPAN: Duration = Duration::from_secs(60);
const GRACE: Duration = Duration::from_secs(30);

type Pages = Cached<u32, &'static str>;
type Answer = Result<Option<u32>, &'static str>;
type Reading<'r> = Pin<Box<dyn Future<Output = Answer> + Send + 'r>>;

/// What is read, behind a gate.
struct Source {
    value: Mutex<Result<u32, &'static str>>,
    open: AtomicBool,
    loads: AtomicU32,
}

impl Source {
    fn of(value: u32) -> Self {
        Self { value: Mutex::new(Ok(value)), open: AtomicBool::new(true), loads: AtomicU32::new(0) }
    }

    fn is_now(&self, value: Result<u32, &'static str>) {
        *self.value.lock().unwrap() = value;
    }

    fn loads(&self) -> u32 {
        self.loads.load(Ordering::Relaxed)
    }

    /// Reads when it is asked, and answers when the gate is open.
    async fn load(&self) -> Result<Loaded<u32>, &'static str> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        let value = *self.value.lock().unwrap();
        poll_fn(|_| if self.open.load(Ordering::Relaxed) { Poll::Ready(()) } else { Poll::Pending }).await;
        value.map(|value| Loaded::new(Some(value)))
    }
}

/// Processes that share a cache and a store.
struct Machines {
    clock: Clock,
    cache: Arc<dyn Cache>,
    lease: Arc<dyn Lease>,
    source: Source,
}

impl Machines {
    fn new() -> Self {
        let clock = Clock::default();
        let cache: Arc<dyn Cache> = Arc::new(MemoryCache::new(Arc::new(clock.clone())));
        let lease: Arc<dyn Lease> = Arc::new(MemoryStore::with_clock(Arc::new(clock.clone())));
        Self { clock, cache, lease, source: Source::of(1) }
    }

    fn process(&self) -> Pages {
        Self::on(self.cache.clone())
    }

    fn on(cache: Arc<dyn Cache>) -> Pages {
        Cached::new(cache, CachePolicy { jitter_percent: 0, ..CachePolicy::keeping(SPAN) }, 1)
    }

    fn patient(&self) -> Pages {
        self.patient_on(self.cache.clone())
    }

    fn patient_on(&self, cache: Arc<dyn Cache>) -> Pages {
        Self::on(cache).serving_stale(GRACE, Arc::new(self.clock.clone()))
    }

    fn locked(&self, pages: Pages) -> Pages {
        let platform = Platform {
            clock: Arc::new(self.clock.clone()),
            sleeper: Arc::new(Sleeper::waiting(self.clock.clone())),
            ids: Arc::new(Ids::seeded(1)),
        };
        pages.locked_by(self.lease.clone(), &platform)
    }

    fn read<'r>(&'r self, pages: &'r Pages) -> Reading<'r> {
        Box::pin(async {
            let value = pages.get(&key(), || self.source.load()).await?;
            Ok(value.as_deref().copied())
        })
    }

    /// What there is at once.
    fn now(&self, pages: &Pages) -> Answer {
        let Poll::Ready(answer) = poll(&mut self.read(pages)) else { return Err("it waits") };
        answer
    }
}

fn key() -> CacheKey {
    "catalog:product:list:page:1".parse().unwrap()
}

fn poll(reading: &mut Reading<'_>) -> Poll<Answer> {
    reading.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn r07_an_old_value_is_given_while_one_loads_a_new_one() {
    let machines = Machines::new();
    let pages = machines.patient();
    assert_eq!(machines.now(&pages), Ok(Some(1)));
    machines.source.is_now(Ok(2));
    machines.clock.advance(SPAN.saturating_sub(Duration::from_micros(1)));
    assert_eq!((machines.now(&pages), machines.source.loads()), (Ok(Some(1)), 1));
    machines.clock.advance(Duration::from_micros(1));
    machines.source.open.store(false, Ordering::Relaxed);
    let mut many: Vec<_> = (0..1000).map(|_| machines.read(&pages)).collect();
    let waiting = many.iter_mut().filter_map(|reading| match poll(reading) {
        Poll::Ready(answer) => {
            assert_eq!(answer, Ok(Some(1)));
            None
        }
        Poll::Pending => Some(reading),
    });
    let mut waiting: Vec<_> = waiting.collect();
    assert_eq!((waiting.len(), machines.source.loads()), (1, 2));
    assert_eq!(machines.now(&pages), Ok(Some(1)));
    machines.source.open.store(true, Ordering::Relaxed);
    assert_eq!(poll(waiting.remove(0)), Poll::Ready(Ok(Some(2))));
    assert_eq!((machines.now(&pages), machines.source.loads()), (Ok(Some(2)), 2));
    let counts = pages.counts();
    assert_eq!((counts.loads, counts.stale > 0, counts.failures), (2, true, 0));
}

/// A thousand that come at the same time, of which the first is through before the others go on.
#[test]
fn r07_one_wave_loads_once_also_where_loads_are_quick() {
    let machines = Machines::new();
    let pages = machines.patient();
    assert_eq!(machines.now(&pages), Ok(Some(1)));
    machines.clock.advance(SPAN);
    machines.source.is_now(Ok(2));
    for _ in 0..100 {
        let mut wave: Vec<_> = (0..10).map(|_| machines.read(&pages)).collect();
        assert!(wave.iter_mut().all(|reading| poll(reading).is_ready()));
    }
    assert_eq!((machines.now(&pages), machines.source.loads()), (Ok(Some(2)), 2));
}

#[test]
fn what_cannot_be_loaded_anew_is_given_until_its_grace_is_over() {
    let machines = Machines::new();
    let pages = machines.patient();
    assert_eq!(machines.now(&pages), Ok(Some(1)));
    machines.source.is_now(Err("down"));
    machines.clock.advance(SPAN + GRACE.saturating_sub(Duration::from_micros(1)));
    assert_eq!(machines.now(&pages), Ok(Some(1)));
    machines.clock.advance(Duration::from_micros(1));
    assert_eq!(machines.now(&pages), Err("down"));
}

/// Neither what was removed, nor what was loaded before it was.
#[test]
fn what_was_removed_is_not_given_however_much_grace_there_is() {
    let machines = Machines::new();
    let pages = machines.patient();
    assert_eq!(machines.now(&pages), Ok(Some(1)));
    machines.clock.advance(SPAN);
    machines.source.open.store(false, Ordering::Relaxed);
    let mut renewing = machines.read(&pages);
    assert!(poll(&mut renewing).is_pending());
    machines.source.is_now(Ok(2));
    let gone = pollster::block_on(pages.invalidate(&Invalidation::Key(key(), None)));
    assert!(gone);
    machines.source.open.store(true, Ordering::Relaxed);
    assert_eq!(machines.now(&pages), Ok(Some(2)));
    // It has begun before the removal; what it has loaded is not put in.
    assert_eq!(poll(&mut renewing), Poll::Ready(Ok(Some(1))));
    assert_eq!(machines.now(&pages), Ok(Some(2)));
}

#[test]
fn the_first_level_gives_up_what_the_second_has_renewed() {
    let machines = Machines::new();
    let first: Arc<dyn Cache> = Arc::new(MemoryCache::new(Arc::new(machines.clock.clone())));
    let layered = Layered::new(first, machines.cache.clone()).first_for(SPAN + GRACE);
    let pages = machines.patient_on(Arc::new(layered));
    for _ in 0..2 {
        assert_eq!(machines.now(&pages), Ok(Some(1)));
    }
    machines.source.is_now(Ok(2));
    machines.clock.advance(SPAN);
    assert_eq!(machines.now(&pages), Ok(Some(2)), "whoever is first waits for it");
    assert_eq!((machines.now(&pages), machines.source.loads()), (Ok(Some(2)), 2));
}

#[test]
fn r07_of_four_processes_one_loads() {
    let machines = Machines::new();
    machines.source.open.store(false, Ordering::Relaxed);
    let processes = [(); 4].map(|()| machines.locked(machines.process()));
    let mut many: Vec<_> = (0..250).flat_map(|_| &processes).map(|pages| machines.read(pages)).collect();
    for _ in 0..5 {
        assert!(many.iter_mut().all(|reading| poll(reading).is_pending()));
        machines.clock.advance(Duration::from_millis(20));
    }
    assert_eq!(machines.source.loads(), 1);
    machines.source.open.store(true, Ordering::Relaxed);
    let mut left = many.len();
    for _ in 0..5 {
        many.retain_mut(|reading| match poll(reading) {
            Poll::Ready(answer) => {
                assert_eq!(answer, Ok(Some(1)));
                false
            }
            Poll::Pending => true,
        });
        machines.clock.advance(Duration::from_millis(20));
        left = many.len();
    }
    assert_eq!((left, machines.source.loads()), (0, 1));
    // The lock is free again.
    machines.clock.advance(SPAN);
    assert_eq!((machines.now(&processes[0]), machines.source.loads()), (Ok(Some(1)), 2));
}

#[test]
fn nobody_waits_for_a_process_that_is_gone_or_for_a_lease_that_fails() {
    let machines = Machines::new();
    machines.source.open.store(false, Ordering::Relaxed);
    let [first, second] = [(); 2].map(|()| machines.locked(machines.process()));
    let mut dying = machines.read(&first);
    assert!(poll(&mut dying).is_pending());
    drop(dying);
    machines.source.open.store(true, Ordering::Relaxed);
    let mut waiting = machines.read(&second);
    let mut waits = 0;
    while poll(&mut waiting).is_pending() {
        waits += 1;
        assert!(waits <= 101, "it waits for ever");
        machines.clock.advance(Duration::from_millis(20));
    }
    assert!(waits > 50, "the lock was anybody's: {waits}");
    drop(waiting);

    let fails = [Fault::FailBefore, Fault::FailAfter];
    let rates = fails.into_iter().fold(Rates::default(), |rates, fault| rates.of(Port::Lease, fault, 400));
    let down = Faults::seeded(1, rates);
    let lease: Faulty<dyn Lease> = Faulty::on(machines.lease.clone(), down);
    let machines = Machines { lease: Arc::new(lease), ..Machines::new() };
    for _ in 0..50 {
        machines.clock.advance(SPAN);
        let pages = machines.locked(machines.process());
        let mut reading = machines.read(&pages);
        let done = (0..=101).any(|_| {
            let answer = poll(&mut reading);
            machines.clock.advance(Duration::from_millis(20));
            answer == Poll::Ready(Ok(Some(1)))
        });
        assert!(done);
    }
}

/// What is stale is loaded by one process; another one that finds it so does not wait.
#[test]
fn r07_of_two_processes_one_renews() {
    let machines = Machines::new();
    let [first, second] = [(); 2].map(|()| machines.locked(machines.patient()));
    assert_eq!(machines.now(&first), Ok(Some(1)));
    machines.source.is_now(Ok(2));
    machines.source.open.store(false, Ordering::Relaxed);
    machines.clock.advance(SPAN);
    let mut renewing = machines.read(&first);
    assert!(poll(&mut renewing).is_pending());
    assert_eq!((machines.now(&second), machines.source.loads()), (Ok(Some(1)), 2));
    machines.source.open.store(true, Ordering::Relaxed);
    assert_eq!(poll(&mut renewing), Poll::Ready(Ok(Some(2))));
    assert_eq!((machines.now(&second), machines.source.loads()), (Ok(Some(2)), 2));
}

#[test]
fn r07_who_finds_it_stale_too_late_takes_what_another_one_has_loaded() {
    let machines = Machines::new();
    let first = machines.locked(machines.patient());
    assert_eq!(machines.now(&first), Ok(Some(1)));
    machines.source.is_now(Ok(2));
    machines.clock.advance(SPAN);
    // It takes five seconds to the cache, and five back.
    let (clock, sleeper) = (Arc::new(machines.clock.clone()), Sleeper::waiting(machines.clock.clone()));
    let slow = Script::default().nth(Port::Cache, "get", 1, Fault::Delay);
    let slow = Faults::scripted(slow).with_time(clock, Arc::new(sleeper));
    let cache: Faulty<dyn Cache> = Faulty::on(machines.cache.clone(), slow);
    let second = machines.locked(machines.patient_on(Arc::new(cache)));
    let mut reading = machines.read(&second);
    assert!(poll(&mut reading).is_pending());
    machines.clock.advance(Duration::from_secs(5));
    assert!(poll(&mut reading).is_pending());
    assert_eq!((machines.now(&first), machines.source.loads()), (Ok(Some(2)), 2));
    machines.clock.advance(Duration::from_secs(5));
    assert_eq!(poll(&mut reading), Poll::Ready(Ok(Some(2))));
    assert_eq!((machines.source.loads(), second.counts().stale), (2, 1));
}
