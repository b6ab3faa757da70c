//! What a decision needs, the log, single streams, tables.

use std::sync::Arc;

use commerce_core::kernel::commit::{Load, Loaded, LoadedStream, MAX_DIRECTORY, Snapshot, StreamQuery};
use commerce_core::kernel::error::PortError;
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::kernel::mark::MarkKey;
use commerce_core::kernel::pool::PoolKey;
use commerce_core::kernel::stream::{StreamId, Version};
use commerce_core::kernel::timer::TimerKey;
use commerce_core::kernel::unique::{Key, UniqueKey};
use commerce_core::port::store::{LogQuery, MAX_PAGE, Page, Row, Table};
use redis::Value;
use serde_json::json;

use crate::RedisStore;
use crate::answer::{before, bytes, handled, level, list, name, number, owner, position, recorded, text};
use crate::error::corrupt;
use crate::plan::{key_name, mark_name};
use crate::time::parse;

pub(crate) async fn load(store: &RedisStore, load: &Load) -> Result<Loaded, PortError> {
    let stream = |query: &StreamQuery| {
        let mut asked = json!({ "stream": query.stream.to_string(), "after": query.after.get() });
        if let (Some(schema), Some(asked)) = (query.snapshot_schema, asked.as_object_mut()) {
            asked.insert("schema".to_owned(), json!(schema.to_string()));
        }
        asked
    };
    let asked = json!({
        "streams": load.streams.iter().map(stream).collect::<Vec<_>>(),
        "owners": load.by_claim.iter().map(key_name).collect::<Vec<_>>(),
        "pools": load.pools.iter().map(PoolKey::to_string).collect::<Vec<_>>(),
        "marks": load.marks.iter().map(mark_name).collect::<Vec<_>>(),
        "directory": load.directory.iter().map(|query| json!({
            "prefix": format!("{}/{}", query.scope, query.prefix),
            "scope": query.scope.len().to_string(),
            "limit": query.limit.min(MAX_DIRECTORY),
        })).collect::<Vec<_>>(),
    });
    let asked = asked.to_string();
    let answer = store.read("load", &store.scripts.load, &[asked.as_bytes()]).await?;
    loaded(load, &answer).ok_or_else(|| corrupt("load"))
}

fn loaded(load: &Load, answer: &Value) -> Option<Loaded> {
    let [streams, owners, pools, marks, directory] = list(answer)? else { return None };
    let nil = |value: &Value| matches!(value, Value::Nil);
    let streams = load.streams.iter().zip(list(streams)?).map(|(query, value)| loaded_stream(query, value));
    let owners = list(owners)?
        .iter()
        .map(|value| if nil(value) { Some(None) } else { Some(Some(owner(text(value)?)?.0)) });
    let pools = list(pools)?.iter().map(|value| level(text(value)?));
    let marks =
        list(marks)?.iter().map(|value| if nil(value) { Some(None) } else { handled(value).map(Some) });
    let directory = list(directory)?.iter().map(|found| list(found)?.iter().map(entry).collect());
    Some(Loaded {
        streams: streams.collect::<Option<_>>()?,
        by_claim: owners.collect::<Option<_>>()?,
        pools: pools.collect::<Option<_>>()?,
        marks: marks.collect::<Option<_>>()?,
        directory: directory.collect::<Option<_>>()?,
    })
}

fn entry(value: &Value) -> Option<(Key, StreamId)> {
    let [member, stored] = list(value)? else { return None };
    let (scope, key) = name(text(member)?)?;
    Some((Key::new(scope, key), owner(text(stored)?)?.0))
}

fn loaded_stream(query: &StreamQuery, value: &Value) -> Option<LoadedStream> {
    let [head, snapshot, events] = list(value)? else { return None };
    let snapshot = match list(snapshot)? {
        [version, schema, data] => Some(Snapshot {
            version: Version::new(number(version)?),
            schema: number(schema)?,
            data: bytes(data)?.into(),
        }),
        _ => None,
    };
    let events = list(events)?.iter().map(recorded).collect::<Option<_>>()?;
    Some(LoadedStream {
        stream: query.stream.clone(),
        version: Version::new(number(head)?),
        snapshot,
        events,
    })
}

pub(crate) async fn log(store: &RedisStore, query: LogQuery) -> Result<Page, PortError> {
    let arguments = [
        before(query.after).to_string(),
        query.limit.min(MAX_PAGE).to_string(),
        query.slice.index().to_string(),
        query.slice.of().to_string(),
    ];
    let arguments: Vec<&[u8]> = arguments.iter().map(String::as_bytes).collect();
    let answer = store.read("read_all", &store.scripts.log, &arguments).await?;
    let page = || {
        let [events, next] = list(&answer)? else { return None };
        let events = list(events)?.iter().map(recorded).collect::<Option<_>>()?;
        Some(Page { events, next: position(number(next)?) })
    };
    page().ok_or_else(|| corrupt("read_all"))
}

pub(crate) async fn stream(
    store: &RedisStore,
    stream: &StreamId,
    after: Version,
    limit: u32,
) -> Result<Vec<Arc<RecordedEvent>>, PortError> {
    let arguments =
        [stream.to_string(), after.get().min(1 << 52).to_string(), limit.min(MAX_PAGE).to_string()];
    let arguments: Vec<&[u8]> = arguments.iter().map(String::as_bytes).collect();
    let answer = store.read("read_stream", &store.scripts.stream, &arguments).await?;
    let events = list(&answer).and_then(|events| events.iter().map(recorded).collect());
    events.ok_or_else(|| corrupt("read_stream"))
}

pub(crate) async fn scan(
    store: &RedisStore,
    table: Table,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<Row>, PortError> {
    // Behind a text means behind everything that is called by it, whatever the length of its scope.
    let (name, behind) = match table {
        Table::Keys => ("keys", &b"\0\xff"[..]),
        Table::Pools => ("pools", &b""[..]),
        Table::Timers => ("timers", &b""[..]),
        Table::Marks => ("marks", &b"\0\xff"[..]),
    };
    let limit = limit.min(MAX_PAGE).to_string();
    let arguments = [name.as_bytes(), after.unwrap_or_default().as_bytes(), limit.as_bytes(), behind];
    let answer = store.read("scan", &store.scripts.scan, &arguments).await?;
    let rows = list(&answer).and_then(|rows| rows.iter().map(|value| row(table, value)).collect());
    rows.ok_or_else(|| corrupt("scan"))
}

fn row(table: Table, value: &Value) -> Option<Row> {
    let parts = list(value)?;
    Some(match table {
        Table::Keys => {
            let (scope, key) = name(text(parts.first()?)?)?;
            let (owner, subject) = owner(text(parts.get(1)?)?)?;
            Row::Key(UniqueKey { key: Key::new(scope, key), owner, subject })
        }
        Table::Pools => Row::Pool(PoolKey::new(text(parts.first()?)?), level(text(parts.get(1)?)?)?),
        Table::Timers => {
            let [kind, id, label, due] = parts else { return None };
            Row::Timer(timer_key(kind, id, label)?, parse(text(due)?)?)
        }
        Table::Marks => {
            let (scope, id) = name(text(parts.first()?)?)?;
            Row::Mark(MarkKey::new(scope, id), handled(parts.get(1)?)?)
        }
    })
}

pub(crate) fn timer_key(kind: &Value, id: &Value, label: &Value) -> Option<TimerKey> {
    let stream = StreamId::new(text(kind)?.to_owned(), text(id)?.parse().ok()?);
    Some(TimerKey::new(stream, text(label)?.to_owned()))
}
