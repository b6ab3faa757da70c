//! What the contracts of `Clock`, `Sleeper` and `Ids` say, as named checks on a platform.

use std::collections::BTreeSet;
use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use commerce_core::port::platform::Platform;
use commerce_core::value::time::Timestamp;

use super::outcome::{Outcome, equal, holds};
use super::suite::{PortCheck, PortFixture, port_checks};

impl PortFixture for Platform {}

/// How many identifiers are made.
const MANY: usize = 10_000;

async fn ids_are_never_nil_and_never_the_same(platform: &Platform) -> Outcome {
    let now = platform.clock.now();
    let made: BTreeSet<_> = (0..MANY).map(|_| platform.ids.next(now)).collect();
    equal("different identifiers", made.len(), MANY)?;
    holds("none is nil", made.iter().all(|id| !id.is_nil()))
}

async fn ids_are_ordered_by_their_time(platform: &Platform) -> Outcome {
    let start = platform.clock.now();
    let later = |millis| start.plus(Duration::from_millis(millis));
    let made: Vec<_> = (0..100).map(|millis| platform.ids.next(later(millis))).collect();
    holds("identifiers of later milliseconds are greater", made.is_sorted_by(|a, b| a < b))?;
    let version = made.iter().all(|id| id.get_version_num() == 7);
    holds("they have the shape of version 7", version)
}

async fn sleeping_until_the_past_is_over_at_once(platform: &Platform) -> Outcome {
    let past = platform.clock.now().minus(Duration::from_secs(60));
    for time in [Timestamp::MIN, past] {
        let mut sleep = pin!(platform.sleeper.sleep_until(time));
        let over = poll_fn(|context| Poll::Ready(sleep.as_mut().poll(context).is_ready())).await;
        holds(&format!("sleeping until {time} is over when it begins"), over)?;
    }
    Ok(())
}

async fn sleeping_ends_by_itself_and_when_it_is_dropped(platform: &Platform) -> Outcome {
    platform.sleeper.sleep_until(platform.clock.now().plus(Duration::from_millis(20))).await;
    drop(platform.sleeper.sleep_until(Timestamp::MAX));
    Ok(())
}

/// The checks of a platform, one per clause.
pub fn platform_checks() -> Vec<PortCheck<Platform>> {
    port_checks! { []
        { self ids_are_never_nil_and_never_the_same "Ids: never nil and never the same twice." }
        { self ids_are_ordered_by_their_time "Ids: time-ordered to the millisecond, the shape of UUID version 7." }
        { self sleeping_until_the_past_is_over_at_once "Sleeper: returns at once for a time in the past." }
        { self sleeping_ends_by_itself_and_when_it_is_dropped "Sleeper: waits until a time; dropping the future ends the wait." }
    }
}
