//! Caches, limits and sessions that fail, are late, or say everything twice: nobody gets an error or anything wrong.
#![allow(clippy::unwrap_used)] // a failing step is a failing test

use std::sync::Arc;
use std::time::Duration;

use commerce_adapters_memory::{MemoryCache, MemoryRateLimiter, MemorySessions, MemoryStore};
use commerce_core::app::caching::{CachePolicy, Cached, Lenient, Loaded, breaking};
use commerce_core::app::visitors::VisitorError;
use commerce_core::carts::{Cart, Status};
use commerce_core::kernel::stream::Version;
use commerce_core::port::cache::{Cache, CacheKey, Invalidation, Tag};
use commerce_core::port::clock::Clock as _;
use commerce_core::port::lease::Lease;
use commerce_core::port::platform::Platform;
use commerce_core::port::rate_limiter::{Acquired, Limit, LimitKey, RateLimiter};
use commerce_core::port::session::SessionStore;
use commerce_core::prelude::*;
use commerce_testkit::dice::Dice;
use commerce_testkit::fake::{Clock, Gateway, Ids, Sleeper};
use commerce_testkit::faulty::{Fault, Faults, Faulty, Port, Rates};
use commerce_testkit::shop::Shop;
use commerce_tests::audit::Audit;
use commerce_tests::cases;
use pollster::block_on;
use proptest::prelude::*;

const SPAN: Duration = Duration::from_secs(60);

/// One call in five goes wrong, and no process dies.
fn faults(seed: u64, port: Port) -> Faults {
    let wrong = port.faults().iter().filter(|fault| !matches!(fault, Fault::DieBefore | Fault::DieAfter));
    Faults::seeded(seed, wrong.fold(Rates::default(), |rates, fault| rates.of(port, *fault, 40)))
}

fn platform(clock: &Clock) -> Platform {
    Platform {
        clock: Arc::new(clock.clone()),
        sleeper: Arc::new(Sleeper::jumping(clock.clone())),
        ids: Arc::new(Ids::seeded(1)),
    }
}

/// A value that changes, and a cache of it whose calls fail.
async fn stays_right(seed: u64, guarded: bool, grace: Duration) -> Result<Faults, TestCaseError> {
    let (clock, faults, mut dice) = (Clock::default(), faults(seed, Port::Cache), Dice::seeded(seed));
    let cache: Arc<dyn Cache> = Arc::new(MemoryCache::new(Arc::new(clock.clone())));
    let faulty: Faulty<dyn Cache> = Faulty::on(cache, faults.clone());
    let mut cache: Arc<dyn Cache> = Arc::new(faulty);
    if guarded {
        cache = breaking(cache, &platform(&clock));
    }
    let mut cached = Cached::<u64, String>::new(cache, CachePolicy::keeping(SPAN), seed);
    if !grace.is_zero() {
        cached = cached.serving_stale(grace, Arc::new(clock.clone()));
        let lease: Arc<dyn Lease> = Arc::new(MemoryStore::with_clock(Arc::new(clock.clone())));
        cached = cached.locked_by(lease, &platform(&clock));
    }
    let (key, tag) = ("a:b:c:d".parse::<CacheKey>().unwrap(), Tag::new("t").unwrap());
    // When every value was replaced, and the oldest that may still be read.
    let (mut replaced, mut oldest) = (Vec::new(), 0_u64);
    for _ in 0..400 {
        let now = u64::try_from(replaced.len()).unwrap();
        let at = |now| Loaded::new(Some(now)).at(Version::new(now)).tagged(tag.clone());
        let load = || async { Ok(at(now)) };
        match dice.below(10) {
            0 => {
                replaced.push(clock.now());
                let by = [
                    Invalidation::Key(key.clone(), Some(Version::new(now + 1))),
                    Invalidation::Tag(tag.clone()),
                ];
                let by = by.into_iter().nth(usize::from(dice.chance(500))).unwrap();
                if cached.invalidate(&by).await {
                    oldest = now + 1;
                }
            }
            1 => {
                replaced.push(clock.now());
                let store = || async { Ok(at(now + 1)) };
                let written = cached.write(&key, store).await.unwrap();
                prop_assert_eq!(written.as_deref(), Some(&(now + 1)));
            }
            2 => drop(clock.advance(Duration::from_secs(dice.below(30)))),
            _ => {
                let seen = *cached.get(&key, load).await.unwrap().unwrap();
                prop_assert!(seen >= oldest && seen <= now, "{seen} of {now}, {oldest} at least");
                if let Some(gone) = replaced.get(usize::try_from(seen).unwrap()) {
                    prop_assert!(clock.now().since(*gone) <= SPAN + grace, "{seen} was replaced long ago");
                }
            }
        }
    }
    Ok(faults)
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn patterns_8_a_cache_that_fails_shows_nothing_wrong(
        seed in any::<u64>(),
        guarded in any::<bool>(),
        grace in prop_oneof![Just(Duration::ZERO), Just(SPAN)],
    ) {
        let faults = block_on(stays_right(seed, guarded, grace))?;
        prop_assert!(faults.tally().total() > 0);
    }

    /// Whoever could not be counted was let through; nobody else.
    #[test]
    fn a_limiter_that_fails_lets_through_what_it_could_not_count(seed in any::<u64>()) {
        block_on(async {
            let (clock, faults) = (Clock::default(), faults(seed, Port::Limiter));
            let limiter: Arc<dyn RateLimiter> = Arc::new(MemoryRateLimiter::new(Arc::new(clock.clone())));
            let faulty: Faulty<dyn RateLimiter> = Faulty::on(limiter, faults.clone());
            let lenient = Lenient::new(Arc::new(faulty), &platform(&clock));
            let (limit, ann) = (Limit::new(10, SPAN).unwrap(), LimitKey::new("user", "ann"));
            let mut allowed = 0;
            for _ in 0..60 {
                let answer = lenient.acquire(&ann, limit, 1).await.unwrap();
                allowed += u64::from(matches!(answer, Acquired::Allowed { .. }));
            }
            let failed = [Fault::FailBefore, Fault::FailAfter].map(|fault| faults.tally().of(Port::Limiter, fault));
            // A circuit that is open lets through too, and does not ask.
            let unasked = 60 - faults.calls();
            prop_assert!(allowed <= 10 + failed.iter().sum::<u64>() + unasked, "{allowed} of {failed:?}, {unasked}");
            Ok(())
        })?;
    }

    /// Guests fill carts and log in; whatever is put in is in one cart, once.
    #[test]
    fn visitors_lose_nothing_where_sessions_fail(seed in any::<u64>()) {
        block_on(async {
            let (clock, faults, mut dice) = (Clock::default(), faults(seed, Port::Sessions), Dice::seeded(seed));
            let sessions: Arc<dyn SessionStore> = Arc::new(MemorySessions::new(Arc::new(clock.clone())));
            let sessions: Faulty<dyn SessionStore> = Faulty::on(sessions, faults.clone());
            let store = MemoryStore::with_clock(Arc::new(clock.clone()));
            let shop = Shop::on(store.clone(), clock, Gateway::capturing());
            shop.list("MUG", "10.00", 500).await.unwrap();
            let visitors = shop.staff().visitors(Arc::new(sessions)).unwrap();
            let (sku, mut put, mut secret) = (Sku::new("MUG").unwrap(), 0_u32, 0_u64);
            for _ in 0..60 {
                let cookie = secret.to_be_bytes();
                let visitor = match visitors.visit(&cookie).await {
                    Err(VisitorError::Sessions(_)) => visitors.guest(&cookie).await.unwrap(),
                    visitor => visitor.unwrap(),
                };
                if dice.chance(700) {
                    let shop = shop.commerce.acting_as(visitor.actor);
                    shop.add_to_cart(visitor.cart, &sku, Quantity::ONE, Currency::EUR).await.unwrap();
                    put += 1;
                } else if dice.chance(500) {
                    let next = secret + 1;
                    match visitors.log_in(&cookie, &next.to_be_bytes(), Shop::customer(dice.below(2))).await {
                        Ok(_) => secret = next,
                        Err(error) => prop_assert!(matches!(error, VisitorError::Sessions(_)), "{error:?}"),
                    }
                } else {
                    // Another visitor.
                    secret += 1000;
                }
            }
            let carts = Audit::of(&store).all::<Cart>();
            let open = carts.iter().filter(|(_, cart, ..)| cart.status() != Status::Merged);
            let units: u32 = open.flat_map(|(_, cart, ..)| cart.lines().iter()).map(|line| line.quantity.get()).sum();
            prop_assert_eq!(units, put);
            prop_assert!(faults.tally().total() > 0);
            Ok(())
        })?;
    }
}
