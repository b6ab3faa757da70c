//! A decision's load: every question in one call, every answer from one snapshot.

use commerce_core::kernel::commit::{Load, Loaded, LoadedStream, MAX_DIRECTORY, Snapshot};
use commerce_core::kernel::pool::PoolLevel;
use commerce_core::kernel::stream::{StreamId, Version};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::commit::{handled_of, parse_key, position_of};
use crate::event::{count, damaged, event, schema};
use crate::store::Call;

pub(crate) const STATEMENT: &str = "select * from commerce.load($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

/// Where the parts of a row stand, see `sql/0003_load.sql`.
mod column {
    pub(super) const PART: usize = 0;
    pub(super) const PLACE: usize = 1;
    pub(super) const TX: usize = 2;
    pub(super) const POSITION: usize = 3;
    pub(super) const KIND: usize = 4;
    pub(super) const ID: usize = 5;
    pub(super) const VERSION: usize = 6;
    pub(super) const HASH: usize = 7;
    pub(super) const NAME: usize = 8;
    pub(super) const SCHEMA: usize = 9;
    pub(super) const DATA: usize = 14;
    pub(super) const LEVELS: usize = 18;
}

/// A load as columns.
pub(crate) struct Questions<'l> {
    kinds: Vec<&'l str>,
    ids: Vec<Uuid>,
    after: Vec<i64>,
    schemas: Vec<Option<i32>>,
    keys: Vec<String>,
    pools: Vec<&'l str>,
    marks: Vec<String>,
    lowest: Vec<String>,
    highest: Vec<String>,
    most: Vec<i32>,
}

impl<'l> Questions<'l> {
    pub(crate) fn new(load: &'l Load) -> Self {
        let streams = &load.streams;
        let from = |query: &commerce_core::kernel::commit::DirectoryQuery| {
            format!("{}/{}", query.scope, query.prefix)
        };
        // Behind every key with the prefix, whose characters are all below the last of Unicode.
        let to = |query| format!("{}{}", from(query), "\u{10ffff}".repeat(8));
        let limit = |limit: u32| i32::try_from(limit.min(MAX_DIRECTORY)).unwrap_or(i32::MAX);
        Self {
            kinds: streams.iter().map(|query| &*query.stream.kind).collect(),
            ids: streams.iter().map(|query| query.stream.id).collect(),
            after: streams.iter().map(|query| i64::try_from(query.after.get()).unwrap_or(i64::MAX)).collect(),
            schemas: streams.iter().map(|query| query.snapshot_schema.map(i32::from)).collect(),
            keys: load.by_claim.iter().map(ToString::to_string).collect(),
            pools: load.pools.iter().map(commerce_core::kernel::pool::PoolKey::as_str).collect(),
            marks: load.marks.iter().map(ToString::to_string).collect(),
            lowest: load.directory.iter().map(from).collect(),
            highest: load.directory.iter().map(to).collect(),
            most: load.directory.iter().map(|query| limit(query.limit)).collect(),
        }
    }

    pub(crate) fn bind<'q>(&self, call: Call<'q>) -> Call<'q> {
        call.bind(&self.kinds)
            .bind(&self.ids)
            .bind(&self.after)
            .bind(&self.schemas)
            .bind(&self.keys)
            .bind(&self.pools)
            .bind(&self.marks)
            .bind(&self.lowest)
            .bind(&self.highest)
            .bind(&self.most)
    }
}

/// The answers in the order of the questions.
pub(crate) fn loaded(load: &Load, rows: &[PgRow]) -> Result<Loaded, sqlx::Error> {
    let unknown = |query: &commerce_core::kernel::commit::StreamQuery| LoadedStream {
        stream: query.stream.clone(),
        version: Version::NONE,
        snapshot: None,
        events: Vec::new(),
    };
    let mut loaded = Loaded {
        streams: load.streams.iter().map(unknown).collect(),
        by_claim: vec![None; load.by_claim.len()],
        pools: vec![PoolLevel::default(); load.pools.len()],
        marks: vec![None; load.marks.len()],
        directory: vec![Vec::new(); load.directory.len()],
    };
    for row in rows {
        let place: i32 = row.try_get(column::PLACE)?;
        let place = usize::try_from(place - 1).map_err(|_| damaged("a place"))?;
        answer(&mut loaded, row, place)?.ok_or_else(|| damaged("an answer without a question"))?;
    }
    Ok(loaded)
}

fn answer(loaded: &mut Loaded, row: &PgRow, place: usize) -> Result<Option<()>, sqlx::Error> {
    let owner = || {
        Ok::<_, sqlx::Error>(StreamId::new(row.try_get::<String, _>(column::KIND)?, row.try_get(column::ID)?))
    };
    let part: i32 = row.try_get(column::PART)?;
    Ok(match part {
        1 => {
            let head = Version::new(count(row.try_get(column::VERSION)?));
            let snapshot = snapshot(row)?;
            loaded.streams.get_mut(place).map(|stream| {
                stream.version = head;
                stream.snapshot = snapshot;
            })
        }
        2 => {
            let event = event(row, column::TX)?;
            loaded.streams.get_mut(place).map(|stream| stream.events.push(event))
        }
        3 => {
            let owner = owner()?;
            loaded.by_claim.get_mut(place).map(|slot| *slot = Some(owner))
        }
        4 => {
            let level = level(&row.try_get::<Vec<i64>, _>(column::LEVELS)?)?;
            loaded.pools.get_mut(place).map(|slot| *slot = level)
        }
        5 => {
            let position = position_of(row.try_get(column::TX)?, row.try_get(column::POSITION)?);
            let (version, hash) = (row.try_get(column::VERSION)?, row.try_get(column::HASH)?);
            let handled = handled_of(version, hash, row.try_get(column::DATA)?, position);
            loaded.marks.get_mut(place).map(|slot| *slot = Some(handled))
        }
        _ => {
            let key = parse_key(row.try_get(column::NAME)?).ok_or_else(|| damaged("a key"))?;
            let entry = (key, owner()?);
            loaded.directory.get_mut(place).map(|keys| keys.push(entry))
        }
    })
}

fn snapshot(row: &PgRow) -> Result<Option<Snapshot>, sqlx::Error> {
    let Some(data) = row.try_get::<Option<&[u8]>, _>(column::DATA)? else { return Ok(None) };
    let version: Vec<i64> = row.try_get(column::LEVELS)?;
    let version = version.first().copied().ok_or_else(|| damaged("a snapshot"))?;
    Ok(Some(Snapshot {
        version: Version::new(count(version)),
        schema: schema(row.try_get(column::SCHEMA)?)?,
        data: data.into(),
    }))
}

fn level(numbers: &[i64]) -> Result<PoolLevel, sqlx::Error> {
    match *numbers {
        [available, held, allocated, floor] => Ok(PoolLevel { available, held, allocated, floor }),
        _ => Err(damaged("a pool")),
    }
}
