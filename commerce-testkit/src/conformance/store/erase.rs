//! Erasure: at once, everywhere, also for what comes later.

use commerce_core::kernel::commit::{Commit, Load};
use commerce_core::kernel::pool::PoolOp;
use commerce_core::kernel::stream::StreamId;
use commerce_core::kernel::unique::UniqueKey;
use commerce_core::port::store::Table;

use super::personal::{creates, kept, read};
use super::pool::level;
use crate::build::{Draft, append, event, key, personal_event, snapshot, stream, subject};
use crate::conformance::Failure;
use crate::conformance::fixture::{Fixture, one, query};
use crate::conformance::outcome::{Outcome, equal};

async fn snapshot_of(f: &Fixture, stream: &StreamId) -> Result<bool, Failure> {
    let load = Load { streams: vec![query(stream, 0, Some(1))], ..Load::default() };
    Ok(one(f.load(load).await?.streams)?.snapshot.is_some())
}

pub(crate) async fn erase_spares_other_subjects(f: &Fixture) -> Outcome {
    let (alice, bob, s) = (subject("alice"), subject("bob"), stream("s"));
    let mut both = personal_event(alice, "Alice");
    both.personal.extend(personal_event(bob, "Bob").personal.into_iter().map(|mut value| {
        value.field = 1;
        value
    }));
    f.commit(Commit::default().appending(creates(&s, vec![both, personal_event(bob, "Bob")]))).await?;
    f.commit(Commit::default().erases(alice)).await?;
    equal("contents that are left", kept(&read(f, &s).await?), vec![false, true, true])
}

pub(crate) async fn erase_reaches_every_stream(f: &Fixture) -> Outcome {
    let (alice, a, b) = (subject("alice"), stream("a"), stream("b"));
    for s in [&a, &b] {
        f.commit(Commit::default().appending(creates(s, vec![personal_event(alice, "Alice")]))).await?;
    }
    f.commit(Commit::default().appends(&a, 1, 1).erases(alice)).await?;
    equal("in one stream", kept(&read(f, &a).await?), vec![false])?;
    equal("in the other", kept(&read(f, &b).await?), vec![false])
}

pub(crate) async fn erase_holds_for_later_values(f: &Fixture) -> Outcome {
    let (alice, s) = (subject("alice"), stream("s"));
    f.commit(Commit::default().erases(alice)).await?;
    let late = creates(&s, vec![personal_event(alice, "Alice"), personal_event(subject("bob"), "Bob")]);
    f.commit(Commit::default().appending(late)).await?;
    equal("contents that are left", kept(&read(f, &s).await?), vec![false, true])
}

pub(crate) async fn erase_holds_within_its_own_commit(f: &Fixture) -> Outcome {
    let (alice, s) = (subject("alice"), stream("s"));
    let commit = Commit::default().appending(creates(&s, vec![personal_event(alice, "Alice")]));
    f.commit(commit.erases(alice)).await?;
    equal("contents that are left", kept(&read(f, &s).await?), vec![false])
}

pub(crate) async fn erase_frees_personal_keys(f: &Fixture) -> Outcome {
    let (alice, s, other) = (subject("alice"), stream("s"), stream("other"));
    let personal = |name, subject| UniqueKey { key: key(name), owner: s.clone(), subject: Some(subject) };
    let commit = Commit::default().claiming(personal("hers", alice)).claims("order", &s);
    f.commit(commit.claiming(personal("his", subject("bob")))).await?;
    f.commit(Commit::default().erases(alice)).await?;
    equal("the owner of her key", f.owner("hers").await?, None)?;
    equal("the owner of a key of nobody", f.owner("order").await?, Some(s.clone()))?;
    equal("the owner of another's key", f.owner("his").await?, Some(s.clone()))?;
    f.commit(Commit::default().claims("hers", &other)).await?;
    equal("the owner of her key afterwards", f.owner("hers").await?, Some(other))
}

pub(crate) async fn erase_deletes_snapshots_of_streams_with_values(f: &Fixture) -> Outcome {
    let (alice, with, without) = (subject("alice"), stream("with"), stream("without"));
    let mut first = creates(&with, vec![personal_event(alice, "Alice"), event()]);
    first.snapshot = Some(snapshot(2, 1, "{\"name\":\"Alice\"}"));
    let mut second = append(&without, 0, 1);
    second.snapshot = Some(snapshot(1, 1, "{}"));
    f.commit(Commit::default().appending(first).appending(second)).await?;
    f.commit(Commit::default().erases(alice)).await?;
    equal("the snapshot of a stream with her values", snapshot_of(f, &with).await?, false)?;
    equal("the snapshot of a stream without", snapshot_of(f, &without).await?, true)?;
    let load = Load { streams: vec![query(&with, 0, Some(1))], ..Load::default() };
    equal("events without the snapshot", one(f.load(load).await?.streams)?.events.len(), 2)
}

pub(crate) async fn erase_holds_for_later_snapshots(f: &Fixture) -> Outcome {
    let (alice, s) = (subject("alice"), stream("s"));
    f.commit(Commit::default().appending(creates(&s, vec![personal_event(alice, "Alice")]))).await?;
    f.commit(Commit::default().erases(alice)).await?;
    // Decided on what was loaded before the erasure: the state in it still has the values.
    let mut late = append(&s, 1, 1);
    late.snapshot = Some(snapshot(2, 1, "{\"name\":\"Alice\"}"));
    f.commit(Commit::default().appending(late)).await?;
    equal("a snapshot that may hold erased values", snapshot_of(f, &s).await?, false)?;
    equal("the version", f.version(&s).await?.get(), 2)
}

pub(crate) async fn erase_keeps_money_counts_and_order(f: &Fixture) -> Outcome {
    let (alice, s) = (subject("alice"), stream("s"));
    let events = vec![event(), personal_event(alice, "Alice"), event()];
    let commit =
        Commit::default().appending(creates(&s, events)).moves("p", PoolOp::Supply(3)).claims("k", &s);
    f.commit(commit.marked("m")).await?;
    let strip = |events: Vec<std::sync::Arc<commerce_core::kernel::event::RecordedEvent>>| {
        let without = |event: &std::sync::Arc<commerce_core::kernel::event::RecordedEvent>| {
            let mut event = event.as_ref().clone();
            event.event.personal.clear();
            event
        };
        events.iter().map(without).collect::<Vec<_>>()
    };
    let before = strip(f.log().await?);
    f.commit(Commit::default().erases(alice).erases(subject("nobody"))).await?;
    equal("the log without personal values", strip(f.log().await?), before)?;
    equal("the pool", f.level("p").await?, level(3, 0, 0, 0))?;
    equal("the owner of a key of nobody", f.owner("k").await?, Some(s))?;
    equal("marks", f.rows(Table::Marks).await?.len(), 1)
}

pub(crate) async fn erase_can_be_repeated(f: &Fixture) -> Outcome {
    let (alice, s) = (subject("alice"), stream("s"));
    f.commit(Commit::default().appending(creates(&s, vec![personal_event(alice, "Alice")]))).await?;
    f.commit(Commit::default().erases(alice)).await?;
    f.commit(Commit::default().erases(alice)).await?;
    equal("contents that are left", kept(&read(f, &s).await?), vec![false])
}
