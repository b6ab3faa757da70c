//! Marks: once, with the stored result.

use std::sync::Arc;

use commerce_core::kernel::commit::{Commit, Load};
use commerce_core::kernel::error::CommitError;
use commerce_core::kernel::mark::{Fingerprint, Handled, MAX_RESULT, Mark, MarkKey};
use commerce_core::kernel::pool::PoolOp;

use super::pool::level;
use super::stream::stale;
use crate::build::{Draft, mark, stream};
use crate::conformance::fixture::{Fixture, one};
use crate::conformance::outcome::{Outcome, equal};

fn with(mark: Mark) -> Commit {
    Commit { mark: Some(mark), ..Commit::default() }
}

async fn handled(f: &Fixture, mark: &Mark) -> Result<Option<Handled>, crate::conformance::Failure> {
    one(f.load(Load { marks: vec![mark.key.clone()], ..Load::default() }).await?.marks)
}

pub(crate) async fn mark_comes_back_with_result_and_position(f: &Fixture) -> Outcome {
    f.commit(Commit::default().appends(&stream("before"), 0, 3)).await?;
    let position = f.commit(Commit::default().appends(&stream("s"), 0, 2).marked("m")).await?;
    f.commit(Commit::default().appends(&stream("behind"), 0, 1)).await?;
    let Mark { fingerprint, result, .. } = mark("m");
    equal("the mark", handled(f, &mark("m")).await?, Some(Handled { fingerprint, result, position }))
}

pub(crate) async fn mark_repeat_is_already_handled(f: &Fixture) -> Outcome {
    let commit = Commit::default().appends(&stream("s"), 0, 1).moves("p", PoolOp::Supply(1)).marked("m");
    let position = f.commit(commit.clone()).await?;
    f.commit(Commit::default().appends(&stream("behind"), 0, 1)).await?;
    let Mark { fingerprint, result, .. } = mark("m");
    let expected = CommitError::AlreadyHandled(Handled { fingerprint, result, position });
    for _ in 0..3 {
        equal("a repeat", f.store().commit(commit.clone()).await, Err(expected.clone()))?;
    }
    equal("the pool after four attempts", f.level("p").await?, level(1, 0, 0, 0))?;
    equal("events after four attempts", f.log().await?.len(), 2)
}

pub(crate) async fn mark_repeat_gives_the_first_result(f: &Fixture) -> Outcome {
    f.commit(with(mark("m"))).await?;
    let other = Mark { result: Arc::from(&b"another result"[..]), ..mark("m") };
    match f.store().commit(with(other)).await {
        Err(CommitError::AlreadyHandled(handled)) => {
            equal("the result of a repeat that came to another one", handled.result, mark("m").result)
        }
        other => equal("a repeat", format!("{other:?}"), "AlreadyHandled"),
    }
}

pub(crate) async fn mark_of_another_request_is_key_reused(f: &Fixture) -> Outcome {
    f.commit(with(mark("m"))).await?;
    let other = Mark { fingerprint: Fingerprint::of(1, b"another request"), ..mark("m") };
    let reused = f.store().commit(with(other).appends(&stream("s"), 0, 1)).await;
    equal("another request under the same key", reused, Err(CommitError::KeyReused(mark("m").key)))
}

pub(crate) async fn mark_of_another_fingerprint_version_agrees(f: &Fixture) -> Outcome {
    let position = f.commit(with(mark("m"))).await?;
    let other = Mark { fingerprint: Fingerprint::of(2, b"hashed in another way"), ..mark("m") };
    let Mark { fingerprint, result, .. } = mark("m");
    let expected = CommitError::AlreadyHandled(Handled { fingerprint, result, position });
    equal("a fingerprint of another version", f.store().commit(with(other)).await, Err(expected))
}

pub(crate) async fn mark_scopes_are_apart(f: &Fixture) -> Outcome {
    f.commit(with(mark("m"))).await?;
    let other = Mark { key: MarkKey::new("consumer", "m"), ..mark("other") };
    equal("the same id in another scope", handled(f, &other).await?, None)?;
    f.commit(with(other.clone())).await?;
    equal("its result", handled(f, &other).await?.map(|handled| handled.result), Some(other.result))
}

pub(crate) async fn mark_alone_is_kept(f: &Fixture) -> Outcome {
    f.commit(with(mark("no-op"))).await?;
    let kept = handled(f, &mark("no-op")).await?.map(|handled| handled.result);
    equal("the mark of a commit without events", kept, Some(mark("no-op").result))
}

pub(crate) async fn mark_keeps_a_result_of_full_size(f: &Fixture) -> Outcome {
    let full = Mark { result: (0..=255).cycle().take(MAX_RESULT).collect(), ..mark("full") };
    f.commit(with(full.clone())).await?;
    equal(
        "a result of full size",
        handled(f, &full).await?.map(|handled| handled.result),
        Some(full.result),
    )?;
    let empty = Mark { result: Arc::from(&[][..]), ..mark("empty") };
    f.commit(with(empty.clone())).await?;
    equal("an empty result", handled(f, &empty).await?.map(|handled| handled.result), Some(empty.result))
}

pub(crate) async fn mark_of_a_refusal_is_decided_anew(f: &Fixture) -> Outcome {
    let commit = Commit::default().appends(&stream("s"), 0, 1).moves("p", PoolOp::Hold(1)).marked("m");
    for _ in 0..2 {
        let refused = f.store().commit(commit.clone()).await;
        equal("a short pool", matches!(refused, Err(CommitError::Short(_))), true)?;
    }
    f.commit(Commit::default().moves("p", PoolOp::Supply(1))).await?;
    f.commit(commit).await?;
    let kept = handled(f, &mark("m")).await?.map(|handled| handled.result);
    equal("the mark after the third attempt", kept, Some(mark("m").result))
}

pub(crate) async fn mark_is_missed_by_an_unmarked_repeat(f: &Fixture) -> Outcome {
    let s = stream("s");
    let commit = Commit::default().appends(&s, 0, 2).moves("p", PoolOp::Supply(1));
    f.commit(commit.clone()).await?;
    equal("a repeat without a mark", f.store().commit(commit).await, Err(stale(&s, 0, 2)))?;
    equal("the pool", f.level("p").await?, level(1, 0, 0, 0))
}
