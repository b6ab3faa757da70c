//! Streams: gapless versions, and decisions that assert what they relied on.

use commerce_core::kernel::commit::Commit;
use commerce_core::kernel::error::CommitError;
use commerce_core::kernel::event::NewEvent;
use commerce_core::kernel::stream::{StreamId, Version};
use commerce_core::port::store::MAX_PAGE;

use crate::build::{Draft, append, stream, stream_of};
use crate::conformance::fixture::Fixture;
use crate::conformance::outcome::{Outcome, equal, holds};

pub(crate) fn stale(stream: &StreamId, expected: u64, actual: u64) -> CommitError {
    let (expected, actual) = (Version::new(expected), Version::new(actual));
    CommitError::Stale { stream: stream.clone(), expected, actual }
}

pub(crate) async fn stream_versions_have_no_gaps(f: &Fixture) -> Outcome {
    let s = stream("s");
    for (head, count) in [(0, 1), (1, 2), (3, 3)] {
        f.commit(Commit::default().appends(&s, head, count)).await?;
    }
    let versions: Vec<u64> = f.stream(&s).await?.iter().map(|event| event.version.get()).collect();
    equal("versions of a stream after three commits", versions, vec![1, 2, 3, 4, 5, 6])
}

pub(crate) async fn stream_gives_back_what_was_written(f: &Fixture) -> Outcome {
    let s = stream("s");
    let written = append(&s, 0, 2);
    f.commit(Commit::default().appending(written.clone())).await?;
    let read = f.stream(&s).await?;
    holds("every event names its stream", read.iter().all(|event| event.stream == s))?;
    let read: Vec<NewEvent> = read.iter().map(|event| event.event.clone()).collect();
    equal("events of a stream", read, written.events)
}

pub(crate) async fn stream_append_behind_the_head_is_stale(f: &Fixture) -> Outcome {
    let s = stream("s");
    f.commit(Commit::default().appends(&s, 0, 2)).await?;
    let late = f.store().commit(Commit::default().appends(&s, 1, 1)).await;
    equal("an append expecting 1 of a stream at 2", late, Err(stale(&s, 1, 2)))?;
    let again = f.store().commit(Commit::default().appends(&s, 0, 1)).await;
    equal("creating a stream that is there", again, Err(stale(&s, 0, 2)))
}

pub(crate) async fn stream_append_ahead_of_the_head_is_stale(f: &Fixture) -> Outcome {
    let s = stream("s");
    f.commit(Commit::default().appends(&s, 0, 1)).await?;
    let ahead = f.store().commit(Commit::default().appends(&s, 7, 1)).await;
    equal("an append expecting 7 of a stream at 1", ahead, Err(stale(&s, 7, 1)))?;
    let absent = stream("absent");
    let ahead = f.store().commit(Commit::default().appends(&absent, 3, 1)).await;
    equal("an append expecting 3 of an absent stream", ahead, Err(stale(&absent, 3, 0)))
}

pub(crate) async fn stream_stale_expect_is_refused(f: &Fixture) -> Outcome {
    let (s, other) = (stream("s"), stream("other"));
    f.commit(Commit::default().appends(&s, 0, 2)).await?;
    for expected in [0, 1, 3] {
        let result = f.store().commit(Commit::default().appends(&other, 0, 1).expects(&s, expected)).await;
        equal("expecting another version than 2", result, Err(stale(&s, expected, 2)))?;
    }
    Ok(())
}

pub(crate) async fn stream_absent_can_be_expected(f: &Fixture) -> Outcome {
    let (s, absent) = (stream("s"), stream("absent"));
    let wrong = f.store().commit(Commit::default().appends(&s, 0, 1).expects(&absent, 1)).await;
    equal("expecting 1 of an absent stream", wrong, Err(stale(&absent, 1, 0)))?;
    f.commit(Commit::default().appends(&s, 0, 1).expects(&absent, 0)).await?;
    equal("the version of an absent stream that was expected", f.version(&absent).await?, Version::NONE)
}

pub(crate) async fn stream_expect_appends_nothing(f: &Fixture) -> Outcome {
    let (s, other) = (stream("s"), stream("other"));
    f.commit(Commit::default().appends(&s, 0, 2)).await?;
    f.commit(Commit::default().appends(&other, 0, 1).expects(&s, 2)).await?;
    f.commit(Commit::default().expects(&s, 2).expects(&other, 1)).await?;
    equal("the version of a stream that was expected", f.version(&s).await?, Version::new(2))?;
    equal("events in the log", f.log().await?.len(), 3)
}

pub(crate) async fn stream_kinds_are_apart(f: &Fixture) -> Outcome {
    let (order, cart) = (stream_of("order", "one"), stream_of("cart", "one"));
    f.commit(Commit::default().appends(&order, 0, 2).appends(&cart, 0, 1)).await?;
    equal("the version of one kind", f.version(&order).await?, Version::new(2))?;
    equal("the version of the other kind with the same id", f.version(&cart).await?, Version::new(1))
}

pub(crate) async fn stream_unknown_reads_as_empty(f: &Fixture) -> Outcome {
    f.commit(Commit::default().appends(&stream("s"), 0, 1)).await?;
    equal("events of an unknown stream", f.stream(&stream("absent")).await?, vec![])
}

pub(crate) async fn stream_is_read_in_pages(f: &Fixture) -> Outcome {
    let s = stream("s");
    f.commit(Commit::default().appends(&s, 0, 7).appends(&stream("other"), 0, 3)).await?;
    let (mut versions, mut after) = (Vec::new(), Version::NONE);
    loop {
        let page = f.store().read_stream(&s, after, 3).await?;
        holds("a page has at most as many events as were asked for", page.len() <= 3)?;
        let Some(last) = page.last() else { break };
        holds("a page lies behind the version that was read to", last.version > after)?;
        after = last.version;
        versions.extend(page.iter().map(|event| event.version.get()));
    }
    equal("versions over all pages of a stream", versions, vec![1, 2, 3, 4, 5, 6, 7])?;
    let behind = f.store().read_stream(&s, Version::new(99), 3).await?;
    equal("events behind the head", behind, vec![])
}

pub(crate) async fn stream_page_is_bounded(f: &Fixture) -> Outcome {
    let s = stream("s");
    f.commit(Commit::default().appends(&s, 0, 1100)).await?;
    let page = f.store().read_stream(&s, Version::NONE, u32::MAX).await?;
    let bounded = !page.is_empty() && page.len() <= MAX_PAGE as usize;
    holds("a page of a stream has at most MAX_PAGE events", bounded)?;
    let versions: Vec<u64> = page.iter().map(|event| event.version.get()).collect();
    let expected: Vec<u64> = (1..=page.len() as u64).collect();
    equal("versions of the first page", versions, expected)
}
