//! Limits and sessions in memory keep the contracts of `RateLimiter` and `SessionStore`, and the checks bite.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use commerce_adapters_memory::{MemoryRateLimiter, MemorySessions};
use commerce_core::kernel::error::PortError;
use commerce_core::port::clock::Clock as _;
use commerce_core::port::rate_limiter::{Acquired, Limit, LimitKey, RateLimiter};
use commerce_core::port::session::{Expected, Session, SessionKey, SessionStore, SessionWrite};
use commerce_testkit::conformance::{
    PortCheck, PortFixture, RateLimiterFixture, SessionFixture, Verdict, port, rate_limiter_checks, run_port,
    session_checks,
};
use commerce_testkit::fake::Clock;
use pollster::block_on;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    TakesTwice,
    TakesWhatItRefuses,
    OneBucket,
    NeverFills,
    WaitsForEver,
    ForgetsOthers,
    RoundsToMillis,
    FillsAtOnce,
    LosesRevisions,
    NeverSlides,
    LastsForEver,
    IgnoresExpected,
    ReadsThenWrites,
    RemovesNothing,
    TakesAnyTime,
}

#[derive(Debug)]
struct BrokenLimiter(MemoryRateLimiter, Option<Flaw>, Clock);

#[async_trait]
impl RateLimiter for BrokenLimiter {
    async fn acquire(&self, key: &LimitKey, limit: Limit, cost: u32) -> Result<Acquired, PortError> {
        let one = LimitKey::new("check", "all");
        match self.1 {
            Some(Flaw::TakesTwice) => {
                self.0.acquire(key, limit, cost).await?;
                self.0.acquire(key, limit, cost).await
            }
            Some(Flaw::TakesWhatItRefuses) => {
                let answer = self.0.acquire(key, limit, cost).await?;
                if let Acquired::Wait(_) = answer {
                    let Acquired::Allowed { remaining } = self.0.acquire(key, limit, 0).await? else {
                        unreachable!("nothing is always there")
                    };
                    self.0.acquire(key, limit, remaining).await?;
                }
                Ok(answer)
            }
            Some(Flaw::OneBucket) => self.0.acquire(&one, limit, cost).await,
            Some(Flaw::NeverFills) => {
                let still = Limit::new(limit.size(), Duration::from_secs(100_000_000)).unwrap();
                self.0.acquire(key, still, cost).await
            }
            Some(Flaw::WaitsForEver) if cost > limit.size() => Ok(Acquired::Wait(Duration::MAX)),
            Some(Flaw::ForgetsOthers) => {
                // Counts by itself what it has read before.
                let fresh = MemoryRateLimiter::new(Arc::new(Clock::default()));
                fresh.acquire(key, limit, cost).await
            }
            Some(Flaw::RoundsToMillis) => match self.0.acquire(key, limit, cost).await? {
                Acquired::Wait(wait) => {
                    let millis = u64::try_from(wait.as_millis()).unwrap();
                    Ok(Acquired::Wait(Duration::from_millis(millis)))
                }
                allowed @ Acquired::Allowed { .. } => Ok(allowed),
            },
            Some(Flaw::FillsAtOnce) => {
                let window = self.2.now().as_micros().div_euclid(i64::try_from(limit.micros()).unwrap());
                let still = Limit::new(limit.size(), Duration::from_secs(1_000_000)).unwrap();
                self.0.acquire(&LimitKey::new("window", &window.to_string()), still, cost).await
            }
            _ => self.0.acquire(key, limit, cost).await,
        }
    }
}

fn limiter(flaw: Option<Flaw>) -> RateLimiterFixture {
    let clock = Clock::default();
    let limiter = MemoryRateLimiter::new(Arc::new(clock.clone()));
    let broken = BrokenLimiter(limiter, flaw, clock.clone());
    let wait = move |span| {
        clock.advance(span);
        std::future::ready(())
    };
    RateLimiterFixture::new(Arc::new(broken), wait).standing_still()
}

#[derive(Debug)]
struct BrokenSessions(MemorySessions, Option<Flaw>);

#[async_trait]
impl SessionStore for BrokenSessions {
    async fn get(&self, key: &SessionKey) -> Result<Option<Session>, PortError> {
        let session = self.0.get(key).await?;
        if let (Some(Flaw::NeverSlides), Some(session)) = (self.1, &session) {
            // What it had left is not known here; half of it shows the same.
            let (data, expected) = (session.data.clone(), Expected::Any);
            self.0.remove(key).await?;
            let write = SessionWrite { data, idle: Duration::from_millis(250), expected };
            self.0.put(key, write).await?;
        }
        Ok(session)
    }

    async fn put(&self, key: &SessionKey, mut write: SessionWrite) -> Result<Option<u64>, PortError> {
        match self.1 {
            Some(Flaw::LosesRevisions) => drop(self.0.remove(key).await?),
            Some(Flaw::LastsForEver) => write.idle = Duration::from_secs(1_000_000),
            Some(Flaw::IgnoresExpected) => write.expected = Expected::Any,
            Some(Flaw::TakesAnyTime) => write.idle = write.idle.max(Duration::from_millis(1)),
            Some(Flaw::ReadsThenWrites) => {
                let known = self.0.get(key).await?.map_or(0, |session| session.revision);
                std::thread::sleep(Duration::from_millis(20));
                if matches!(write.expected, Expected::Revision(revision) if revision != known) {
                    return Ok(None);
                }
                write.expected = Expected::Any;
            }
            _ => {}
        }
        self.0.put(key, write).await
    }

    async fn remove(&self, key: &SessionKey) -> Result<bool, PortError> {
        if self.1 == Some(Flaw::RemovesNothing) {
            return Ok(self.0.get(key).await?.is_some());
        }
        self.0.remove(key).await
    }
}

fn sessions(flaw: Option<Flaw>) -> SessionFixture {
    let clock = Clock::default();
    let sessions = BrokenSessions(MemorySessions::new(Arc::new(clock.clone())), flaw);
    SessionFixture::new(Arc::new(sessions), move |span| {
        clock.advance(span);
        std::future::ready(())
    })
}

#[test]
fn limits_and_sessions_in_memory_conform() {
    let report = block_on(port(rate_limiter_checks(), || async { limiter(None) }));
    report.assert();
    assert!(report.skipped().is_empty());
    let report = block_on(port(session_checks(), || async { sessions(None) }));
    report.assert();
    assert!(report.skipped().is_empty());
}

fn all_bite<F: PortFixture>(
    checks: &[PortCheck<F>],
    breaks: &[(&str, Flaw)],
    fixture: fn(Option<Flaw>) -> F,
) {
    let names: Vec<&str> = checks.iter().map(|check| check.name).collect();
    assert_eq!(names, breaks.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    for (check, (name, flaw)) in checks.iter().zip(breaks) {
        let verdict = block_on(run_port(check, &|| async move { fixture(Some(*flaw)) }));
        assert!(matches!(verdict, Verdict::Failed(_)), "{name}: {verdict:?}");
    }
}

#[test]
fn every_check_of_limits_catches_a_break() {
    let breaks = [
        ("limiter_begins_full_and_counts_down", Flaw::TakesTwice),
        ("limiter_takes_nothing_where_it_refuses", Flaw::TakesWhatItRefuses),
        ("limiter_keeps_keys_and_limits_apart", Flaw::OneBucket),
        ("limiter_fills_again", Flaw::NeverFills),
        ("limiter_refuses_what_is_never_there", Flaw::WaitsForEver),
        ("limiter_gives_no_more_in_a_race", Flaw::ForgetsOthers),
        ("limiter_is_exact", Flaw::RoundsToMillis),
        ("limiter_fills_evenly", Flaw::FillsAtOnce),
    ];
    all_bite(&rate_limiter_checks(), &breaks, limiter);
}

#[test]
fn every_check_of_sessions_catches_a_break() {
    let breaks = [
        ("session_gives_what_was_put", Flaw::LosesRevisions),
        ("session_lasts_while_it_is_used", Flaw::NeverSlides),
        ("session_ends_when_nobody_uses_it", Flaw::LastsForEver),
        ("session_is_replaced_as_expected_only", Flaw::IgnoresExpected),
        ("session_writes_of_one_revision_have_one_winner", Flaw::ReadsThenWrites),
        ("session_is_removed", Flaw::RemovesNothing),
        ("session_has_some_time", Flaw::TakesAnyTime),
    ];
    all_bite(&session_checks(), &breaks, sessions);
}
