//! The log: every event once, in the order of its stream, the events of a commit together.

use std::collections::BTreeMap;
use std::sync::Arc;

use commerce_core::kernel::commit::Commit;
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::kernel::stream::{Position, Slice};
use commerce_core::port::store::{LogQuery, MAX_PAGE};

use crate::build::{Draft, append, numbered, stream};
use crate::conformance::fixture::Fixture;
use crate::conformance::outcome::{Failure, Outcome, equal, holds};

/// Ten commits of three events each over four streams.
async fn fill(f: &Fixture) -> Outcome {
    let mut heads = BTreeMap::new();
    for round in 0..10_u64 {
        let mut commit = Commit::default();
        for (number, events) in [(round % 4, 2), ((round + 1) % 4, 1)] {
            let head: &mut u64 = heads.entry(number).or_default();
            commit = commit.appends(&numbered(number), *head, events);
            *head += events as u64;
        }
        f.commit(commit).await?;
    }
    Ok(())
}

pub(crate) async fn log_keeps_the_order_of_every_stream(f: &Fixture) -> Outcome {
    fill(f).await?;
    let log = f.log().await?;
    let mut seen: BTreeMap<_, Vec<u64>> = BTreeMap::new();
    for event in &log {
        seen.entry(event.stream.clone()).or_default().push(event.version.get());
    }
    for (stream, versions) in seen {
        let expected: Vec<u64> = (1..=versions.len() as u64).collect();
        equal(&format!("versions of {stream} in the log"), versions, expected)?;
    }
    holds("positions ascend", log.is_sorted_by(|a, b| a.position < b.position))
}

pub(crate) async fn log_keeps_a_commit_together(f: &Fixture) -> Outcome {
    let (z, a) = (append(&stream("z"), 0, 2), append(&stream("a"), 0, 2));
    let expected: Vec<_> = z.events.iter().chain(&a.events).map(|event| event.id).collect();
    f.commit(Commit::default().appends(&stream("before"), 0, 1)).await?;
    f.commit(Commit::default().appending(z).appending(a)).await?;
    f.commit(Commit::default().appends(&stream("behind"), 0, 1)).await?;
    let log: Vec<_> = f.log().await?.iter().map(|event| event.event.id).collect();
    equal("the events of a commit in the order of its appends", log.get(1..5), Some(&*expected))
}

pub(crate) async fn log_equals_the_streams(f: &Fixture) -> Outcome {
    fill(f).await?;
    let log = f.log().await?;
    for number in 0..4 {
        let of_log: Vec<_> = log.iter().filter(|event| event.stream == numbered(number)).cloned().collect();
        equal("a stream in the log and by itself", of_log, f.stream(&numbered(number)).await?)?;
    }
    equal("events in the log", log.len(), 30)
}

pub(crate) async fn log_pages_show_each_event_once(f: &Fixture) -> Outcome {
    fill(f).await?;
    let whole = f.log().await?;
    for limit in [1, 2, 7, 30, 31] {
        let (mut events, mut after) = (Vec::new(), Position::START);
        loop {
            let page = f.store().read_all(LogQuery::after(after, limit)).await?;
            holds(
                "a page has at most as many events as were asked for",
                page.events.len() <= limit as usize,
            )?;
            if page.events.is_empty() {
                break;
            }
            holds("the next page is behind this one", page.next > after)?;
            after = page.next;
            events.extend(page.events);
        }
        equal(&format!("all events in pages of {limit}"), &events, &whole)?;
    }
    Ok(())
}

pub(crate) async fn log_is_followed_from_its_end(f: &Fixture) -> Outcome {
    f.commit(Commit::default().appends(&stream("s"), 0, 3)).await?;
    let page = f.store().read_all(LogQuery::after(Position::START, 9)).await?;
    equal("events in the first page", page.events.len(), 3)?;
    let end = f.store().read_all(LogQuery::after(page.next, 9)).await?;
    equal("events behind the end", end.events, vec![])?;
    let more = append(&stream("s"), 3, 1);
    let id = more.events.first().map(|event| event.id);
    f.commit(Commit::default().appending(more)).await?;
    let page = f.store().read_all(LogQuery::after(end.next, 9)).await?;
    let ids: Vec<_> = page.events.iter().map(|event| Some(event.event.id)).collect();
    equal("what was committed behind the end", ids, vec![id])
}

pub(crate) async fn log_page_is_bounded(f: &Fixture) -> Outcome {
    f.commit(Commit::default().appends(&stream("s"), 0, 1100)).await?;
    let page = f.store().read_all(LogQuery::after(Position::START, u32::MAX)).await?;
    let bounded = !page.events.is_empty() && page.events.len() <= MAX_PAGE as usize;
    holds("a page of the log has at most MAX_PAGE events", bounded)?;
    equal("events over all pages", f.log().await?.len(), 1100)
}

pub(crate) async fn log_empty_is_an_empty_page(f: &Fixture) -> Outcome {
    let page = f.store().read_all(LogQuery::after(Position::START, 9)).await?;
    equal("events of an empty log", page.events, vec![])
}

/// The events of one slice, in pages of four.
async fn slice(f: &Fixture, slice: Slice) -> Result<Vec<Arc<RecordedEvent>>, Failure> {
    let (mut events, mut after) = (Vec::new(), Position::START);
    loop {
        let page = f.store().read_all(LogQuery::after(after, 4).within(slice)).await?;
        if page.events.is_empty() {
            return Ok(events);
        }
        holds("the next page is behind this one", page.next > after)?;
        after = page.next;
        events.extend(page.events);
    }
}

pub(crate) async fn log_slices_keep_streams_apart(f: &Fixture) -> Outcome {
    fill(f).await?;
    for index in 0..3 {
        let part = Slice::new(index, 3)?;
        let foreign = slice(f, part).await?.into_iter().find(|event| !part.contains(event.stream.id));
        equal("an event of another slice", foreign, None)?;
    }
    Ok(())
}

pub(crate) async fn log_slices_make_up_the_whole(f: &Fixture) -> Outcome {
    fill(f).await?;
    let whole = f.log().await?;
    for of in [1, 2, 3, 8] {
        let mut parts = Vec::new();
        for index in 0..of {
            let part = slice(f, Slice::new(index, of)?).await?;
            holds("a slice keeps the order of the log", part.is_sorted_by(|a, b| a.position < b.position))?;
            parts.extend(part);
        }
        parts.sort_by_key(|event| event.position);
        equal(&format!("all events in {of} slices"), &parts, &whole)?;
    }
    Ok(())
}

pub(crate) async fn log_receipt_lies_behind_its_commit(f: &Fixture) -> Outcome {
    f.commit(Commit::default().appends(&stream("before"), 0, 2)).await?;
    let ours = append(&stream("s"), 0, 3);
    let ids: Vec<_> = ours.events.iter().map(|event| event.id).collect();
    let position = f.commit(Commit::default().appending(ours)).await?;
    f.commit(Commit::default().appends(&stream("behind"), 0, 2)).await?;
    let behind = f.store().read_all(LogQuery::after(position, 9)).await?.events;
    equal("events behind the receipt of a commit", behind.len(), 2)?;
    holds("none of them is the commit's", behind.iter().all(|event| !ids.contains(&event.event.id)))?;
    let log = f.log().await?;
    let before = log.iter().filter(|event| event.position <= position);
    equal("events up to the receipt", before.count(), 5)
}
