//! What the contract of `RateLimiter` says, as named checks.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use commerce_core::kernel::error::PortErrorKind;
use commerce_core::port::rate_limiter::{Acquired, Limit, LimitKey, RateLimiter};

use super::cache::Waiting;
use super::exec::{BlockOn, Task, block_on, race};
use super::outcome::{Failure, Outcome, equal, holds};
use super::suite::{PortCheck, PortFixture, port_checks};

/// A limiter under test, in which no key has been asked for.
#[derive(Clone)]
pub struct RateLimiterFixture {
    limiter: Arc<dyn RateLimiter>,
    stands_still: bool,
    wait: Arc<dyn Fn(Duration) -> Waiting + Send + Sync>,
    block_on: BlockOn,
}

impl RateLimiterFixture {
    /// A limiter, and what lets time go by for it.
    pub fn new<W: Future<Output = ()> + Send + 'static>(
        limiter: Arc<dyn RateLimiter>,
        wait: impl Fn(Duration) -> W + Send + Sync + 'static,
    ) -> Self {
        let wait = Arc::new(move |span| -> Waiting { Box::pin(wait(span)) });
        Self { limiter, stands_still: false, wait, block_on: Arc::new(block_on) }
    }

    /// Time goes by in `wait` only: the checks to the microsecond can be made.
    #[must_use]
    pub const fn standing_still(mut self) -> Self {
        self.stands_still = true;
        self
    }

    /// Runs the callers of a race with this, for limiters that need a runtime.
    #[must_use]
    pub fn with_block_on(mut self, block_on: impl Fn(Task) + Send + Sync + 'static) -> Self {
        self.block_on = Arc::new(block_on);
        self
    }

    async fn acquire(&self, whose: &str, limit: Limit, cost: u32) -> Result<Acquired, Failure> {
        Ok(self.limiter.acquire(&LimitKey::new("check", whose), limit, cost).await?)
    }
}

impl fmt::Debug for RateLimiterFixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiterFixture").field("limiter", &self.limiter).finish_non_exhaustive()
    }
}

impl PortFixture for RateLimiterFixture {
    fn unmet(&self, check: &str) -> Option<&'static str> {
        let exact = ["limiter_is_exact", "limiter_fills_evenly"];
        (!self.stands_still && exact.contains(&check)).then_some("time does not stand still")
    }
}

const fn left(remaining: u32) -> Acquired {
    Acquired::Allowed { remaining }
}

fn hourly() -> Result<Limit, Failure> {
    Limit::new(5, Duration::from_secs(3600)).map_err(|error| Failure::new(error.to_string()))
}

async fn limiter_begins_full_and_counts_down(f: &RateLimiterFixture) -> Outcome {
    let limit = hourly()?;
    equal("what is left at first", f.acquire("ann", limit, 0).await?, left(5))?;
    for remaining in [4, 3, 2, 1, 0] {
        equal("what is left", f.acquire("ann", limit, 1).await?, left(remaining))?;
    }
    let answer = f.acquire("ann", limit, 1).await?;
    holds(&format!("it is to wait, but {answer:?}"), matches!(answer, Acquired::Wait(_)))
}

async fn limiter_takes_nothing_where_it_refuses(f: &RateLimiterFixture) -> Outcome {
    let limit = hourly()?;
    equal("what is left", f.acquire("ann", limit, 3).await?, left(2))?;
    let Acquired::Wait(wait) = f.acquire("ann", limit, 4).await? else {
        return Err(Failure::new("four of two were given"));
    };
    let (least, most) = (Duration::from_secs(1400), Duration::from_secs(1440));
    holds(&format!("two more take 1440 s, but {wait:?}"), wait > least && wait <= most)?;
    equal("what is left", f.acquire("ann", limit, 0).await?, left(2))?;
    equal("what is left", f.acquire("ann", limit, 2).await?, left(0))
}

async fn limiter_keeps_keys_and_limits_apart(f: &RateLimiterFixture) -> Outcome {
    let limit = hourly()?;
    f.acquire("ann", limit, 5).await?;
    equal("another key", f.acquire("bob", limit, 1).await?, left(4))?;
    equal("another limit", f.acquire("ann", Limit::PER_USER, 1).await?, left(99))?;
    holds("the first", matches!(f.acquire("ann", limit, 1).await?, Acquired::Wait(_)))
}

async fn limiter_fills_again(f: &RateLimiterFixture) -> Outcome {
    let limit = Limit::new(4, Duration::from_millis(200)).map_err(|error| Failure::new(error.to_string()))?;
    f.acquire("ann", limit, 4).await?;
    (f.wait)(Duration::from_millis(210)).await;
    equal("what is left", f.acquire("ann", limit, 0).await?, left(4))
}

async fn limiter_refuses_what_is_never_there(f: &RateLimiterFixture) -> Outcome {
    let answer = f.limiter.acquire(&LimitKey::new("check", "ann"), hourly()?, 6).await;
    equal("more than the limit", answer.map_err(|error| error.kind), Err(PortErrorKind::Invalid))
}

async fn limiter_gives_no_more_in_a_race(f: &RateLimiterFixture) -> Outcome {
    let limit = hourly()?;
    let callers = (0..16).map(|_| {
        let f = f.clone();
        async move { Ok::<_, Failure>(matches!(f.acquire("ann", limit, 1).await?, Acquired::Allowed { .. })) }
    });
    let answers = race(&f.block_on, callers.collect()).await;
    let allowed = answers.into_iter().collect::<Result<Vec<bool>, _>>()?;
    equal("allowed", allowed.into_iter().filter(|allowed| *allowed).count(), 5)
}

async fn limiter_is_exact(f: &RateLimiterFixture) -> Outcome {
    // A third of a second per token: 333,334 microseconds bring one, the last of which is a part of the next.
    let limit = Limit::new(3, Duration::from_secs(1)).map_err(|error| Failure::new(error.to_string()))?;
    f.acquire("ann", limit, 3).await?;
    let wait = Duration::from_micros(333_334);
    equal("the wait", f.acquire("ann", limit, 1).await?, Acquired::Wait(wait))?;
    (f.wait)(Duration::from_micros(333_333)).await;
    let rest = Acquired::Wait(Duration::from_micros(1));
    equal("a microsecond early", f.acquire("ann", limit, 1).await?, rest)?;
    (f.wait)(Duration::from_micros(1)).await;
    equal("then", f.acquire("ann", limit, 1).await?, left(0))?;
    let wait = Duration::from_micros(333_333);
    equal(
        "the next wait is shorter by what was left over",
        f.acquire("ann", limit, 1).await?,
        Acquired::Wait(wait),
    )
}

async fn limiter_fills_evenly(f: &RateLimiterFixture) -> Outcome {
    for (limit, span) in [(Limit::PER_USER, 600_000), (Limit::PER_ADDRESS, 3_600_000)] {
        f.acquire("ann", limit, limit.size()).await?;
        for remaining in [1, 2, 3] {
            (f.wait)(Duration::from_micros(span - 1)).await;
            equal("what is left too early", f.acquire("ann", limit, 0).await?, left(remaining - 1))?;
            (f.wait)(Duration::from_micros(1)).await;
            equal("what is left", f.acquire("ann", limit, 0).await?, left(remaining))?;
        }
        (f.wait)(Duration::from_secs(7200)).await;
        equal("no more than the bucket holds", f.acquire("ann", limit, 0).await?, left(limit.size()))?;
    }
    Ok(())
}

/// The checks of the `RateLimiter` port, one per clause.
pub fn rate_limiter_checks() -> Vec<PortCheck<RateLimiterFixture>> {
    port_checks! { []
        { self limiter_begins_full_and_counts_down "acquire: a key that was not asked for is full; a cost of zero tells what is left." }
        { self limiter_takes_nothing_where_it_refuses "acquire: all or nothing, and how long to wait." }
        { self limiter_keeps_keys_and_limits_apart "acquire: the bucket of a key and a limit." }
        { self limiter_fills_again "acquire: by the adapter's clock." }
        { self limiter_refuses_what_is_never_there "acquire: `Invalid` for a cost above the limit's size." }
        { self limiter_gives_no_more_in_a_race "acquire: of callers at the same time no more are allowed than there are tokens." }
        { self limiter_is_exact "acquire: exact to the microsecond." }
        { self limiter_fills_evenly "acquire: evenly, by the defaults, and no more than the bucket holds." }
    }
}
