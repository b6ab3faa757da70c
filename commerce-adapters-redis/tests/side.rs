//! The cache, limits and sessions keep the contracts of their ports, on a real server.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod server;

use std::sync::Arc;

use commerce_adapters_redis::{RedisCache, RedisRateLimiter, RedisSessions};
use commerce_core::port::cache::Cache;
use commerce_testkit::conformance::{
    CacheFixture, RateLimiterFixture, SessionFixture, cache_checks, port, rate_limiter_checks, session_checks,
};
use commerce_testkit::fake::Clock;
use commerce_tests::server::Redis;
use server::{on_runtime, patient, runtime};
use tokio::time::sleep;

#[test]
fn the_cache_conforms() {
    let report = on_runtime(port(cache_checks(), || async {
        let settings = patient();
        let handle =
            || -> Arc<dyn Cache> { Arc::new(RedisCache::open(&Redis::shared(), settings.clone()).unwrap()) };
        CacheFixture::new([handle(), handle()], sleep)
    }));
    report.assert();
    assert!(report.skipped().is_empty());
}

#[test]
fn limits_conform_by_the_servers_time() {
    let report = on_runtime(port(rate_limiter_checks(), || async {
        let limiter = RedisRateLimiter::open(&Redis::shared(), patient()).unwrap();
        let fixture = RateLimiterFixture::new(Arc::new(limiter), sleep);
        fixture.with_block_on(|task| runtime().handle().block_on(task))
    }));
    report.assert();
    assert_eq!(report.skipped().len(), 2, "those to the microsecond, which the next test makes");
}

#[test]
fn limits_conform_to_the_microsecond() {
    let report = on_runtime(port(rate_limiter_checks(), || async {
        let clock = Clock::default();
        let limiter = RedisRateLimiter::open(&Redis::shared(), patient()).unwrap();
        let limiter = limiter.by(Arc::new(clock.clone()));
        let wait = move |span| {
            clock.advance(span);
            std::future::ready(())
        };
        let fixture = RateLimiterFixture::new(Arc::new(limiter), wait).standing_still();
        fixture.with_block_on(|task| runtime().handle().block_on(task))
    }));
    report.assert();
    assert!(report.skipped().is_empty());
}

#[test]
fn sessions_conform() {
    let report = on_runtime(port(session_checks(), || async {
        let store = RedisSessions::open(&Redis::shared(), patient()).unwrap();
        let fixture = SessionFixture::new(Arc::new(store), sleep);
        fixture.with_block_on(|task| runtime().handle().block_on(task))
    }));
    report.assert();
    assert!(report.skipped().is_empty());
}
