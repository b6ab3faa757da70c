//! Load: one answer per question, in order, from one snapshot.

use commerce_core::kernel::commit::{Commit, DirectoryQuery, Load, Loaded, LoadedStream};
use commerce_core::kernel::pool::{PoolLevel, PoolOp};
use commerce_core::kernel::stream::Version;

use crate::build::{Draft, append, key, mark, numbered, pool, snapshot, stream};
use crate::conformance::Failure;
use crate::conformance::fixture::{Fixture, one, query};
use crate::conformance::outcome::{Outcome, equal};

/// A stream of five events with a snapshot of schema 7 at version 3.
async fn with_snapshot(f: &Fixture) -> Result<(), Failure> {
    let mut first = append(&stream("s"), 0, 3);
    first.snapshot = Some(snapshot(3, 7, "at three"));
    f.commit(Commit::default().appending(first)).await?;
    f.commit(Commit::default().appends(&stream("s"), 3, 2)).await?;
    Ok(())
}

async fn load(f: &Fixture, after: u64, schema: Option<u16>) -> Result<LoadedStream, Failure> {
    one(f.load(Load { streams: vec![query(&stream("s"), after, schema)], ..Load::default() }).await?.streams)
}

fn versions(loaded: &LoadedStream) -> Vec<u64> {
    loaded.events.iter().map(|event| event.version.get()).collect()
}

pub(crate) async fn load_answers_in_the_order_of_the_questions(f: &Fixture) -> Outcome {
    for number in [1, 2, 3] {
        let (s, name) = (numbered(number), format!("n{number}"));
        let supply = PoolOp::Supply(i64::try_from(number).unwrap_or(0));
        let commit = Commit::default().appends(&s, 0, 1).claims(&name, &s).moves(&name, supply).marked(&name);
        f.commit(commit).await?;
    }
    let order = [3, 1, 9, 2, 1];
    let names = order.map(|number| format!("n{number}"));
    let question =
        |prefix: &str| DirectoryQuery { scope: "conformance".into(), prefix: prefix.into(), limit: 9 };
    let loaded = f
        .load(Load {
            streams: order.map(|number| query(&numbered(number), 0, None)).to_vec(),
            by_claim: names.iter().map(|name| key(name)).collect(),
            pools: names.iter().map(|name| pool(name)).collect(),
            marks: names.iter().map(|name| mark(name).key).collect(),
            directory: names.iter().map(|name| question(name)).collect(),
        })
        .await?;
    let known = |number: u64| number != 9;
    let streams: Vec<_> =
        loaded.streams.into_iter().map(|answer| (answer.stream, answer.events.len())).collect();
    equal("streams", streams, order.map(|n| (numbered(n), usize::from(known(n)))).to_vec())?;
    equal("owners", loaded.by_claim, order.map(|n| known(n).then(|| numbered(n))).to_vec())?;
    let levels: Vec<_> = loaded.pools.iter().map(|level| level.available).collect();
    equal("pools", levels, vec![3, 1, 0, 2, 1])?;
    let results: Vec<_> = loaded.marks.into_iter().map(|mark| mark.map(|handled| handled.result)).collect();
    let expected: Vec<_> =
        order.iter().zip(&names).map(|(n, name)| known(*n).then(|| mark(name).result)).collect();
    equal("marks", results, expected)?;
    let found: Vec<usize> = loaded.directory.iter().map(Vec::len).collect();
    equal("directories", found, vec![1, 1, 0, 1, 1])
}

pub(crate) async fn load_of_unknown_things_is_empty(f: &Fixture) -> Outcome {
    equal("the answer to no question", f.load(Load::default()).await?, Loaded::default())?;
    let load = Load {
        streams: vec![query(&stream("unknown"), 0, Some(1)), query(&stream("unknown"), 5, None)],
        by_claim: vec![key("unknown")],
        pools: vec![pool("unknown")],
        marks: vec![mark("unknown").key],
        directory: vec![DirectoryQuery { scope: "unknown".into(), prefix: "".into(), limit: 9 }],
    };
    let absent = LoadedStream {
        stream: stream("unknown"),
        version: Version::NONE,
        snapshot: None,
        events: Vec::new(),
    };
    let expected = Loaded {
        streams: vec![absent.clone(), absent],
        by_claim: vec![None],
        pools: vec![PoolLevel::default()],
        marks: vec![None],
        directory: vec![Vec::new()],
    };
    equal("answers about unknown things", f.load(load).await?, expected)
}

pub(crate) async fn load_gives_only_events_behind_after(f: &Fixture) -> Outcome {
    f.commit(Commit::default().appends(&stream("s"), 0, 5)).await?;
    for (after, expected) in [(0, vec![1, 2, 3, 4, 5]), (3, vec![4, 5]), (5, vec![])] {
        let loaded = load(f, after, None).await?;
        equal(&format!("versions behind {after}"), versions(&loaded), expected)?;
        equal("the head", loaded.version, Version::new(5))?;
    }
    Ok(())
}

pub(crate) async fn load_gives_the_snapshot_and_the_events_behind_it(f: &Fixture) -> Outcome {
    with_snapshot(f).await?;
    for after in [0, 2] {
        let loaded = load(f, after, Some(7)).await?;
        equal("the snapshot", &loaded.snapshot, &Some(snapshot(3, 7, "at three")))?;
        equal("versions behind the snapshot", versions(&loaded), vec![4, 5])?;
        equal("the head", loaded.version, Version::new(5))?;
    }
    Ok(())
}

pub(crate) async fn load_ignores_a_snapshot_of_another_schema(f: &Fixture) -> Outcome {
    with_snapshot(f).await?;
    for schema in [Some(6), Some(8), None] {
        let loaded = load(f, 0, schema).await?;
        equal(&format!("the snapshot where {schema:?} is wanted"), &loaded.snapshot, &None)?;
        equal("versions without a snapshot", versions(&loaded), vec![1, 2, 3, 4, 5])?;
    }
    Ok(())
}

pub(crate) async fn load_ignores_a_snapshot_that_is_not_later(f: &Fixture) -> Outcome {
    with_snapshot(f).await?;
    for (after, expected) in [(3, vec![4, 5]), (4, vec![5])] {
        let loaded = load(f, after, Some(7)).await?;
        equal(&format!("the snapshot at 3 for one who is at {after}"), &loaded.snapshot, &None)?;
        equal("versions", versions(&loaded), expected)?;
    }
    Ok(())
}

pub(crate) async fn load_gives_the_newest_snapshot(f: &Fixture) -> Outcome {
    with_snapshot(f).await?;
    let mut more = append(&stream("s"), 5, 1);
    more.snapshot = Some(snapshot(6, 7, "at six"));
    f.commit(Commit::default().appending(more)).await?;
    f.commit(Commit::default().appends(&stream("s"), 6, 1)).await?;
    let loaded = load(f, 0, Some(7)).await?;
    equal("the snapshot", &loaded.snapshot, &Some(snapshot(6, 7, "at six")))?;
    equal("versions behind it", versions(&loaded), vec![7])
}

pub(crate) async fn load_is_complete_beyond_a_page(f: &Fixture) -> Outcome {
    f.commit(Commit::default().appends(&stream("s"), 0, 1100)).await?;
    let loaded = load(f, 0, None).await?;
    equal("versions of a long stream", versions(&loaded), (1..=1100).collect::<Vec<u64>>())
}

pub(crate) async fn load_gives_what_the_stream_gives(f: &Fixture) -> Outcome {
    f.commit(Commit::default().appends(&stream("before"), 0, 2)).await?;
    f.commit(Commit::default().appends(&stream("s"), 0, 3)).await?;
    equal("events of a load and of a read", load(f, 0, None).await?.events, f.stream(&stream("s")).await?)
}
