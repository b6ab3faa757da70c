//! The checks of the `Lease` port, and of the fences that a store checks.

use std::sync::Arc;
use std::time::Duration;

use commerce_core::kernel::commit::{Commit, Fence};
use commerce_core::kernel::error::CommitError;
use commerce_core::port::lease::{Granted, Lease};

use super::fixture::Fixture;
use super::outcome::{Failure, Outcome, equal, holds, present};
use super::store::precedence::{below_fence, prepare};
use crate::build::{Draft, numbered, stream};

const HOUR: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(30);
const BEYOND: Duration = Duration::from_millis(45);

fn leases(f: &Fixture) -> Result<Arc<dyn Lease>, Failure> {
    present("leases", f.lease().cloned())
}

async fn granted(f: &Fixture, name: &str, span: Duration) -> Result<Granted, Failure> {
    present("a lease on a name that is free", leases(f)?.acquire(name, span).await?)
}

fn under(fence: &Fence) -> Commit {
    Commit { fence: Some(fence.clone()), ..Commit::default().appends(&stream("s"), 0, 1) }
}

async fn is_fenced(f: &Fixture, why: &str, fence: &Fence) -> Outcome {
    let result = f.store().commit(under(fence)).await;
    equal(why, result, Err(CommitError::Fenced(fence.name.clone())))?;
    equal("events after a fenced commit", f.stream(&stream("s")).await?, vec![])
}

pub(crate) async fn lease_excludes_others_while_it_lasts(f: &Fixture) -> Outcome {
    let first = granted(f, "runner", HOUR).await?;
    equal("the name of the lease", &*first.fence.name, "runner")?;
    equal("a second lease of the name", leases(f)?.acquire("runner", HOUR).await?, None)?;
    granted(f, "another", HOUR).await?;
    Ok(())
}

pub(crate) async fn lease_ends_by_itself(f: &Fixture) -> Outcome {
    let first = granted(f, "runner", SHORT).await?;
    f.pass(BEYOND);
    let second = granted(f, "runner", HOUR).await?;
    holds("the second ends later", second.until > first.until)
}

pub(crate) async fn lease_tokens_grow(f: &Fixture) -> Outcome {
    let first = granted(f, "runner", SHORT).await?;
    f.pass(BEYOND);
    let second = granted(f, "runner", HOUR).await?;
    leases(f)?.release(&second.fence).await?;
    let third = granted(f, "runner", HOUR).await?;
    let tokens = [first.fence.token, second.fence.token, third.fence.token];
    holds(
        &format!("tokens grow after an end and after a release: {tokens:?}"),
        tokens.is_sorted_by(|a, b| a < b),
    )
}

pub(crate) async fn lease_is_renewed_under_its_token(f: &Fixture) -> Outcome {
    let first = granted(f, "runner", HOUR).await?;
    let renewed = present("the renewed lease", leases(f)?.renew(&first.fence, 2 * HOUR).await?)?;
    equal("the fence", &renewed.fence, &first.fence)?;
    holds("it ends later", renewed.until > first.until)?;
    let again = present("the lease renewed again", leases(f)?.renew(&first.fence, 2 * HOUR).await?)?;
    equal("the fence", again.fence, first.fence)
}

pub(crate) async fn lease_lasts_as_long_as_it_was_renewed_for(f: &Fixture) -> Outcome {
    let first = granted(f, "runner", Duration::from_millis(500)).await?;
    present("the renewed lease", leases(f)?.renew(&first.fence, HOUR).await?)?;
    f.pass(Duration::from_millis(550));
    equal("another's lease", leases(f)?.acquire("runner", HOUR).await?, None)
}

pub(crate) async fn lease_that_was_lost_is_not_renewed(f: &Fixture) -> Outcome {
    let lost = granted(f, "runner", SHORT).await?;
    f.pass(BEYOND);
    equal("renewing what is over", leases(f)?.renew(&lost.fence, HOUR).await?, None)?;
    let present = granted(f, "runner", HOUR).await?;
    equal("renewing what another has", leases(f)?.renew(&lost.fence, HOUR).await?, None)?;
    leases(f)?.release(&present.fence).await?;
    equal("renewing what was released", leases(f)?.renew(&present.fence, HOUR).await?, None)?;
    let unknown = Fence { name: "unknown".into(), token: 1 };
    equal("renewing what was never granted", leases(f)?.renew(&unknown, HOUR).await?, None)
}

pub(crate) async fn lease_that_was_released_is_free(f: &Fixture) -> Outcome {
    let first = granted(f, "runner", HOUR).await?;
    leases(f)?.release(&first.fence).await?;
    leases(f)?.release(&first.fence).await?;
    granted(f, "runner", HOUR).await?;
    Ok(())
}

pub(crate) async fn lease_of_another_is_not_released(f: &Fixture) -> Outcome {
    let first = granted(f, "runner", HOUR).await?;
    leases(f)?.release(&first.fence).await?;
    let second = granted(f, "runner", HOUR).await?;
    leases(f)?.release(&first.fence).await?;
    equal("a third lease", leases(f)?.acquire("runner", HOUR).await?, None)?;
    leases(f)?.release(&Fence { name: "unknown".into(), token: 1 }).await?;
    holds("the second lease lasts", leases(f)?.renew(&second.fence, HOUR).await?.is_some())
}

pub(crate) async fn lease_race_has_one_winner(f: &Fixture) -> Outcome {
    let acquire = |_| {
        let leases = leases(f);
        async move { Ok::<_, Failure>(leases?.acquire("runner", HOUR).await?.is_some()) }
    };
    let results: Result<Vec<bool>, Failure> =
        f.race((0..8).map(acquire).collect()).await.into_iter().collect();
    equal("winners of a name", results?.into_iter().filter(|won| *won).count(), 1)
}

pub(crate) async fn fence_lets_its_holder_commit(f: &Fixture) -> Outcome {
    let held = granted(f, "runner", HOUR).await?;
    f.commit(under(&held.fence)).await?;
    let renewed = present("the renewed lease", leases(f)?.renew(&held.fence, HOUR).await?)?;
    f.commit(Commit { fence: Some(renewed.fence), ..Commit::default().appends(&stream("s"), 1, 1) }).await?;
    equal("events", f.log().await?.len(), 2)
}

pub(crate) async fn fence_of_an_earlier_holder_is_refused(f: &Fixture) -> Outcome {
    let first = granted(f, "runner", SHORT).await?;
    f.pass(BEYOND);
    let second = granted(f, "runner", HOUR).await?;
    is_fenced(f, "a commit of the earlier holder", &first.fence).await?;
    f.commit(under(&second.fence)).await?;
    Ok(())
}

pub(crate) async fn fence_of_nobody_is_refused(f: &Fixture) -> Outcome {
    let unknown = Fence { name: "unknown".into(), token: 1 };
    is_fenced(f, "a commit under a lease that was never granted", &unknown).await?;
    let held = granted(f, "runner", HOUR).await?;
    let ahead = Fence { token: held.fence.token + 1, ..held.fence };
    is_fenced(f, "a commit under a token that was not granted yet", &ahead).await
}

pub(crate) async fn fence_of_a_lease_that_is_over_is_refused(f: &Fixture) -> Outcome {
    let over = granted(f, "runner", SHORT).await?;
    f.pass(BEYOND);
    is_fenced(f, "a commit under a lease that ran out", &over.fence).await?;
    let released = granted(f, "runner", HOUR).await?;
    leases(f)?.release(&released.fence).await?;
    is_fenced(f, "a commit under a lease that was released", &released.fence).await
}

pub(crate) async fn fence_is_judged_before_versions(f: &Fixture) -> Outcome {
    prepare(f).await?;
    let fence = Fence { name: "unknown".into(), token: 1 };
    let commit = Commit { fence: Some(fence.clone()), ..below_fence() };
    let expected = CommitError::Fenced(fence.name);
    equal("a fenced commit that is also stale", f.store().commit(commit.clone()).await, Err(expected))?;
    let repeated = f.store().commit(commit.marked("handled")).await;
    holds("a handled mark comes before the fence", matches!(repeated, Err(CommitError::AlreadyHandled(_))))?;
    equal("events", f.stream(&numbered(2)).await?, vec![])
}
