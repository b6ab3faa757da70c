//! Leases of timers: one worker at a time, and a lost lease changes nothing.

use std::time::Duration;

use commerce_core::kernel::commit::Commit;
use commerce_core::kernel::error::CommitError;
use commerce_core::kernel::timer::{DueTimer, TimerKey};
use commerce_core::port::store::Table;
use uuid::Uuid;

use crate::build::{Draft, stream};
use crate::conformance::fixture::Fixture;
use crate::conformance::outcome::{Failure, Outcome, equal, holds, present};

const HOUR: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(30);

/// Sets a timer that is due and leases it.
async fn leased(f: &Fixture, lease: Duration) -> Result<DueTimer, Failure> {
    let now = f.now().await?;
    f.commit(Commit::default().sets(&stream("s"), "timer", now)).await?;
    present("the due timer", f.due(1, lease).await?.timers.pop())
}

/// A commit that handles the timer.
fn handling(timer: &DueTimer) -> Commit {
    let commit = Commit::default().appends(&stream("done"), 0, 1).cancels(&stream("s"), "timer");
    Commit { lease: Some((timer.key.clone(), timer.token)), ..commit }
}

async fn is_lost(f: &Fixture, why: &str, timer: &DueTimer) -> Outcome {
    let result = f.store().commit(handling(timer)).await;
    equal(why, result, Err(CommitError::LeaseLost(timer.key.clone())))?;
    equal("events after a lost lease", f.stream(&stream("done")).await?, vec![])
}

pub(crate) async fn timer_lease_excludes_others(f: &Fixture) -> Outcome {
    leased(f, HOUR).await?;
    for _ in 0..2 {
        equal("timers while one is leased", f.due(9, HOUR).await?.timers, vec![])?;
    }
    Ok(())
}

pub(crate) async fn timer_lease_ends_and_is_given_again(f: &Fixture) -> Outcome {
    let first = leased(f, SHORT).await?;
    f.pass(SHORT + Duration::from_millis(10));
    let second = present("the timer whose lease is over", f.due(9, HOUR).await?.timers.pop())?;
    equal("the timer", &second.key, &first.key)?;
    holds("a second lease has another token", first.token != second.token)?;
    is_lost(f, "a commit under the first lease", &first).await?;
    f.commit(handling(&second)).await?;
    equal("timers that are left", f.rows(Table::Timers).await?, vec![])
}

pub(crate) async fn timer_lease_that_ran_out_is_lost(f: &Fixture) -> Outcome {
    let timer = leased(f, SHORT).await?;
    f.pass(SHORT + Duration::from_millis(10));
    is_lost(f, "a commit under a lease that ran out", &timer).await
}

pub(crate) async fn timer_lease_lets_its_holder_commit(f: &Fixture) -> Outcome {
    let timer = leased(f, HOUR).await?;
    f.commit(handling(&timer)).await?;
    equal("events", f.stream(&stream("done")).await?.len(), 1)?;
    equal("timers that are left", f.rows(Table::Timers).await?, vec![])
}

pub(crate) async fn timer_lease_is_cleared_by_setting(f: &Fixture) -> Outcome {
    let first = leased(f, HOUR).await?;
    let second = leased(f, HOUR).await?;
    holds("the timer is given again under another token", first.token != second.token)?;
    is_lost(f, "a commit under the lease from before the timer was set", &first).await?;
    f.commit(handling(&second)).await?;
    Ok(())
}

pub(crate) async fn timer_lease_is_cleared_before_it_is_given_again(f: &Fixture) -> Outcome {
    let timer = leased(f, HOUR).await?;
    let later = f.now().await?.plus(HOUR);
    f.commit(Commit::default().sets(&stream("s"), "timer", later)).await?;
    is_lost(f, "a commit under the lease from before the timer was moved", &timer).await
}

pub(crate) async fn timer_lease_is_lost_with_its_timer(f: &Fixture) -> Outcome {
    let timer = leased(f, HOUR).await?;
    f.commit(Commit::default().cancels(&stream("s"), "timer")).await?;
    is_lost(f, "a commit under the lease of a timer that was cancelled", &timer).await
}

pub(crate) async fn timer_lease_of_another_token_is_lost(f: &Fixture) -> Outcome {
    let timer = leased(f, HOUR).await?;
    let forged = DueTimer { token: Uuid::from_u128(0xdead), ..timer.clone() };
    is_lost(f, "a commit under a token that was never given", &forged).await?;
    let unknown = DueTimer { key: TimerKey::new(stream("s"), "unknown"), ..timer };
    is_lost(f, "a commit under the lease of another timer", &unknown).await
}
