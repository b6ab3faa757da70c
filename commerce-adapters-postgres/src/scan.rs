//! Tables for audits, ascending by the text of their keys.

use commerce_core::kernel::error::{Effect, PortError};
use commerce_core::kernel::pool::{PoolKey, PoolLevel};
use commerce_core::kernel::stream::StreamId;
use commerce_core::kernel::unique::UniqueKey;
use commerce_core::port::store::{MAX_PAGE, Row, Table};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::PgStore;
use crate::commit::{handled_of, parse_key, parse_mark, parse_timer, position_of};
use crate::error::port_error;
use crate::event::{damaged, subject};
use crate::types::Moment;

/// How a row of a table is read.
type Read = fn(&PgRow) -> Result<Row, sqlx::Error>;

pub(crate) async fn scan(
    store: &PgStore,
    table: Table,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<Row>, PortError> {
    let (table, columns, read): (_, _, Read) = match table {
        Table::Keys => ("keys", "kind, id, subject", key),
        Table::Pools => ("pools", "available, held, allocated, floor", pool),
        Table::Timers => ("timers", "due", timer),
        Table::Marks => ("marks", "version::bigint, hash, result, tx, position", mark),
    };
    let sql = format!(
        "select name, {columns} from commerce.{table} where $1::text is null or name > $1 \
         order by name limit $2"
    );
    let statement = store.inner.settings.schema.sql(&sql);
    let query = || sqlx::query(statement.clone()).bind(after).bind(i64::from(limit.min(MAX_PAGE)));
    let rows = store.read("scan", query).await?;
    let rows: Result<Vec<Row>, sqlx::Error> = rows.iter().map(read).collect();
    rows.map_err(|error| port_error("scan", Effect::None, &error))
}

fn key(row: &PgRow) -> Result<Row, sqlx::Error> {
    unique(row).map(Row::Key)
}

/// A unique key with its owner and subject.
pub(crate) fn unique(row: &PgRow) -> Result<UniqueKey, sqlx::Error> {
    let key = parse_key(row.try_get(0)?).ok_or_else(|| damaged("a key"))?;
    let owner = StreamId::new(row.try_get::<String, _>(1)?, row.try_get(2)?);
    let subject = row.try_get::<Option<Uuid>, _>(3)?.map(subject).transpose()?;
    Ok(UniqueKey { key, owner, subject })
}

fn pool(row: &PgRow) -> Result<Row, sqlx::Error> {
    Ok(Row::Pool(PoolKey::new(row.try_get::<&str, _>(0)?), level(row)?))
}

/// The level of a pool, behind its name.
pub(crate) fn level(row: &PgRow) -> Result<PoolLevel, sqlx::Error> {
    Ok(PoolLevel {
        available: row.try_get(1)?,
        held: row.try_get(2)?,
        allocated: row.try_get(3)?,
        floor: row.try_get(4)?,
    })
}

fn timer(row: &PgRow) -> Result<Row, sqlx::Error> {
    let key = parse_timer(row.try_get(0)?).ok_or_else(|| damaged("a timer"))?;
    Ok(Row::Timer(key, row.try_get::<Moment, _>(1)?.0))
}

fn mark(row: &PgRow) -> Result<Row, sqlx::Error> {
    let key = parse_mark(row.try_get(0)?).ok_or_else(|| damaged("a mark"))?;
    let position = position_of(row.try_get(4)?, row.try_get(5)?);
    Ok(Row::Mark(key, handled_of(row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, position)))
}
