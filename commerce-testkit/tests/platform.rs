//! The platform in memory and the fakes keep the contracts of their ports, and the checks bite.
#![allow(clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;

use async_trait::async_trait;
use commerce_core::port::clock::{Clock as ClockPort, Sleeper as SleeperPort};
use commerce_core::port::ids::Ids as IdsPort;
use commerce_core::port::platform::Platform;
use commerce_core::value::time::Timestamp;
use commerce_testkit::conformance::{Verdict, platform_checks, port, run_port};
use commerce_testkit::fake::{Clock, Ids, Sleeper};
use pollster::block_on;
use uuid::Uuid;

fn fake() -> Platform {
    let clock = Clock::default();
    let sleeper = Sleeper::jumping(clock.clone());
    Platform { clock: Arc::new(clock), sleeper: Arc::new(sleeper), ids: Arc::new(Ids::seeded(1)) }
}

#[test]
fn the_platforms_conform() {
    block_on(port(platform_checks(), || async { fake() })).assert();
    block_on(port(platform_checks(), || async { commerce_adapters_memory::platform() })).assert();
}

/// Always the same, or without regard to time; never over, or never at all.
#[derive(Debug)]
enum Broken {
    Repeats,
    Disorders(Ids),
    Waits,
    Blocks(Clock),
}

impl IdsPort for Broken {
    fn next(&self, now: Timestamp) -> Uuid {
        match self {
            Self::Disorders(ids) => {
                ids.next(Timestamp::from_micros(4_000_000_000_000_000 - now.as_micros()).unwrap_or(now))
            }
            _ => Uuid::from_u128(7),
        }
    }
}

#[async_trait]
impl SleeperPort for Broken {
    async fn sleep_until(&self, time: Timestamp) {
        match self {
            Self::Blocks(clock) if time > clock.now() => panic!("nobody is woken any more"),
            Self::Waits => std::future::pending().await,
            _ => {}
        }
    }
}

#[test]
fn every_check_catches_a_break() {
    let broken = |name: &str| {
        let mut platform = fake();
        match name {
            "ids_are_never_nil_and_never_the_same" => platform.ids = Arc::new(Broken::Repeats),
            "ids_are_ordered_by_their_time" => platform.ids = Arc::new(Broken::Disorders(Ids::seeded(1))),
            "sleeping_until_the_past_is_over_at_once" => platform.sleeper = Arc::new(Broken::Waits),
            "sleeping_ends_by_itself_and_when_it_is_dropped" => {
                platform.sleeper = Arc::new(Broken::Blocks(Clock::default()));
            }
            _ => panic!("no break is meant for {name}"),
        }
        platform
    };
    for check in platform_checks() {
        let name = check.name;
        let verdict = std::panic::catch_unwind(|| block_on(run_port(&check, &|| async { broken(name) })));
        // A sleep that never ends would end no test either: that one break panics instead.
        let hangs = name == "sleeping_ends_by_itself_and_when_it_is_dropped";
        assert!(if hangs { verdict.is_err() } else { matches!(verdict, Ok(Verdict::Failed(_))) }, "{name}");
    }
}
