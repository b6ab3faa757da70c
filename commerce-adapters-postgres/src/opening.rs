//! Opening entries: what archived events left.

use commerce_core::kernel::error::{Effect, PortError};
use commerce_core::kernel::pool::{PoolKey, PoolLevel};
use commerce_core::kernel::rebuild::OpeningEntry;
use commerce_core::port::store::{MAX_PAGE, Opening, Table};
use commerce_core::value::id::Id;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::archive::{END, behind};
use crate::commit::parse_timer;
use crate::error::port_error;
use crate::event::damaged;
use crate::scan::{level, unique};
use crate::types::Moment;
use crate::{PgStore, Schema};

/// How a row of a table is read.
type Read = fn(&PgRow) -> Result<OpeningEntry, sqlx::Error>;

/// The statement that reads entries of a table behind `$1`, at most `$2`; none for marks.
fn statement(table: Table) -> Option<(String, Read)> {
    let (table, columns, read): (_, _, Read) = match table {
        Table::Keys => ("keys", "kind, id, subject", key),
        Table::Pools => ("pools", "available, held, allocated, floor", pool),
        Table::Timers => ("timers", "due, payload", timer),
        Table::Marks => return None,
    };
    let sql = format!(
        "select name, {columns} from commerce.opening_{table} where $1::text is null or name > $1 \
         order by name limit $2"
    );
    Some((sql, read))
}

pub(crate) async fn page(
    store: &PgStore,
    table: Table,
    after: Option<&str>,
    limit: u32,
) -> Result<Opening, PortError> {
    let error = |error: sqlx::Error| port_error("opening", Effect::None, &error);
    let schema = &store.inner.settings.schema;
    // Before the entries: where a range is archived in between, the next page tells another position.
    let end = schema.sql(END);
    let rows = store.read("opening", || sqlx::query(end.clone())).await?;
    let below = rows.first().map_or(Ok(0), |row| row.try_get(0)).map_err(error)?;
    let mut opening = Opening { position: behind(below), entries: Vec::new() };
    if let (Some((sql, read)), true) = (statement(table), below > 0) {
        let statement = schema.sql(&sql);
        let limit = i64::from(limit.min(MAX_PAGE));
        let query = || sqlx::query(statement.clone()).bind(after).bind(limit);
        let rows = store.read("opening", query).await?;
        opening.entries = rows.iter().map(read).collect::<Result<_, _>>().map_err(error)?;
    }
    Ok(opening)
}

/// Reads all entries of a table.
pub(crate) async fn read(
    connection: &mut PgConnection,
    schema: &Schema,
    table: Table,
    mut each: impl FnMut(OpeningEntry),
) -> Result<(), sqlx::Error> {
    let Some((sql, read)) = statement(table) else { return Ok(()) };
    let statement = schema.sql(&sql);
    let mut after: Option<String> = None;
    loop {
        let call = sqlx::query(statement.clone()).bind(after.as_deref()).bind(i64::from(MAX_PAGE));
        let rows = call.fetch_all(&mut *connection).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = Some(last.try_get(0)?);
        for row in &rows {
            each(read(row)?);
        }
    }
}

fn key(row: &PgRow) -> Result<OpeningEntry, sqlx::Error> {
    unique(row).map(OpeningEntry::Key)
}

fn pool(row: &PgRow) -> Result<OpeningEntry, sqlx::Error> {
    Ok(OpeningEntry::Pool(PoolKey::new(row.try_get::<&str, _>(0)?), level(row)?))
}

fn timer(row: &PgRow) -> Result<OpeningEntry, sqlx::Error> {
    let key = parse_timer(row.try_get(0)?).ok_or_else(|| damaged("a timer"))?;
    let payload = row.try_get::<&[u8], _>(2)?.into();
    Ok(OpeningEntry::Timer(key, row.try_get::<Moment, _>(1)?.0, payload))
}

/// Entries on their way into their tables, column by column.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    keys: (Vec<String>, Vec<String>, Vec<Uuid>, Vec<Option<Uuid>>),
    pools: (Vec<String>, [Vec<i64>; 4]),
    timers: (Vec<String>, Vec<String>, Vec<Moment>, Vec<Vec<u8>>),
}

impl Columns {
    pub(crate) fn push(&mut self, entry: OpeningEntry) {
        match entry {
            OpeningEntry::Key(known) => {
                self.keys.0.push(known.key.to_string());
                self.keys.1.push(known.owner.kind.to_string());
                self.keys.2.push(known.owner.id);
                self.keys.3.push(known.subject.map(Id::uuid));
            }
            OpeningEntry::Pool(pool, level) => {
                self.pools.0.push(pool.to_string());
                let PoolLevel { available, held, allocated, floor } = level;
                for (column, number) in self.pools.1.iter_mut().zip([available, held, allocated, floor]) {
                    column.push(number);
                }
            }
            OpeningEntry::Timer(timer, due, payload) => {
                self.timers.0.push(timer.to_string());
                self.timers.1.push(timer.stream.kind.to_string());
                self.timers.2.push(Moment(due));
                self.timers.3.push(payload.to_vec());
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.0.len().saturating_add(self.pools.0.len()).saturating_add(self.timers.0.len())
    }

    pub(crate) async fn insert(
        self,
        connection: &mut PgConnection,
        schema: &Schema,
    ) -> Result<(), sqlx::Error> {
        let Self { keys, pools, timers } = self;
        let statement = "insert into commerce.opening_keys (name, kind, id, subject) \
                         select * from unnest($1::text[], $2::text[], $3::uuid[], $4::uuid[])";
        let call = sqlx::query(schema.sql(statement)).bind(keys.0).bind(keys.1).bind(keys.2).bind(keys.3);
        call.execute(&mut *connection).await?;
        let statement = "insert into commerce.opening_pools (name, available, held, allocated, floor) \
                         select * from unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])";
        let call = sqlx::query(schema.sql(statement)).bind(pools.0);
        pools.1.into_iter().fold(call, sqlx::query::Query::bind).execute(&mut *connection).await?;
        let statement = "insert into commerce.opening_timers (name, kind, due, payload) \
                         select * from unnest($1::text[], $2::text[], $3::timestamptz[], $4::bytea[])";
        let call = sqlx::query(schema.sql(statement)).bind(timers.0).bind(timers.1).bind(timers.2);
        call.bind(timers.3).execute(&mut *connection).await.map(drop)
    }
}
