//! Keys: at most one owner, and the net of a commit counts.

use commerce_core::kernel::commit::{Commit, Load};
use commerce_core::kernel::error::CommitError;
use commerce_core::kernel::stream::StreamId;
use commerce_core::kernel::unique::{Key, UniqueKey};

use crate::build::{Draft, key, stream};
use crate::conformance::fixture::Fixture;
use crate::conformance::outcome::{Outcome, equal};

fn taken(name: &str, owner: &StreamId) -> CommitError {
    CommitError::Taken { key: key(name), owner: owner.clone() }
}

pub(crate) async fn key_has_one_owner(f: &Fixture) -> Outcome {
    let (a, b) = (stream("a"), stream("b"));
    f.commit(Commit::default().claims("k", &a)).await?;
    let second = f.store().commit(Commit::default().appends(&b, 0, 1).claims("k", &b)).await;
    equal("a second owner", second, Err(taken("k", &a)))?;
    equal("the owner", f.owner("k").await?, Some(a))
}

pub(crate) async fn key_of_the_present_owner_can_be_claimed(f: &Fixture) -> Outcome {
    let a = stream("a");
    f.commit(Commit::default().claims("k", &a)).await?;
    f.commit(Commit::default().claims("k", &a)).await?;
    equal("the owner", f.owner("k").await?, Some(a))
}

pub(crate) async fn key_that_was_released_is_free(f: &Fixture) -> Outcome {
    let (a, b) = (stream("a"), stream("b"));
    f.commit(Commit::default().claims("k", &a)).await?;
    f.commit(Commit::default().releases("k", &a)).await?;
    equal("the owner after the release", f.owner("k").await?, None)?;
    f.commit(Commit::default().claims("k", &b)).await?;
    equal("the owner after the second claim", f.owner("k").await?, Some(b))
}

pub(crate) async fn key_released_and_claimed_is_transferred(f: &Fixture) -> Outcome {
    let (a, b) = (stream("a"), stream("b"));
    f.commit(Commit::default().claims("k", &a)).await?;
    f.commit(Commit::default().claims("k", &b).releases("k", &a)).await?;
    equal("the owner after the transfer", f.owner("k").await?, Some(b.clone()))?;
    let back = f.store().commit(Commit::default().claims("k", &a)).await;
    equal("the old owner's claim", back, Err(taken("k", &b)))
}

pub(crate) async fn key_swap_of_two_owners_passes(f: &Fixture) -> Outcome {
    let (a, b) = (stream("a"), stream("b"));
    f.commit(Commit::default().claims("k", &a).claims("l", &b)).await?;
    let swap = Commit::default().releases("k", &a).releases("l", &b).claims("k", &b).claims("l", &a);
    f.commit(swap).await?;
    equal("owners", (f.owner("k").await?, f.owner("l").await?), (Some(b), Some(a)))
}

pub(crate) async fn key_of_another_is_not_released(f: &Fixture) -> Outcome {
    let (a, b) = (stream("a"), stream("b"));
    f.commit(Commit::default().claims("k", &a)).await?;
    f.commit(Commit::default().releases("k", &b)).await?;
    equal("the owner after another's release", f.owner("k").await?, Some(a.clone()))?;
    let both = f.store().commit(Commit::default().releases("k", &b).claims("k", &b)).await;
    equal("a claim beside a release that does nothing", both, Err(taken("k", &a)))
}

pub(crate) async fn key_that_is_free_can_be_released(f: &Fixture) -> Outcome {
    let a = stream("a");
    f.commit(Commit::default().appends(&a, 0, 1).releases("k", &a)).await?;
    equal("the owner of a free key", f.owner("k").await?, None)?;
    f.commit(Commit::default().releases("k", &a).claims("k", &a)).await?;
    equal("the owner", f.owner("k").await?, Some(a))
}

pub(crate) async fn key_scopes_are_apart(f: &Fixture) -> Outcome {
    let (a, b) = (stream("a"), stream("b"));
    let (email, sku) = (Key::new("email", "k"), Key::new("sku", "k"));
    let claim =
        |key: &Key, owner: &StreamId| UniqueKey { key: key.clone(), owner: owner.clone(), subject: None };
    f.commit(Commit::default().claiming(claim(&email, &a))).await?;
    f.commit(Commit::default().claiming(claim(&sku, &b))).await?;
    let loaded = f.load(Load { by_claim: vec![email, sku], ..Load::default() }).await?;
    equal("owners of one key in two scopes", loaded.by_claim, vec![Some(a), Some(b)])
}

pub(crate) async fn key_is_compared_by_its_bytes(f: &Fixture) -> Outcome {
    let (a, b) = (stream("a"), stream("b"));
    f.commit(Commit::default().claims("Key", &a)).await?;
    f.commit(Commit::default().claims("key", &b).claims("key ", &b)).await?;
    equal("the owner in capitals", f.owner("Key").await?, Some(a))?;
    equal("the owner in small letters", f.owner("key").await?, Some(b))?;
    equal("the owner of what was never claimed", f.owner("KEY").await?, None)
}
