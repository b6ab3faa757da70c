//! A log in ranges of transactions, so that old ranges can be archived.

use commerce_core::kernel::error::{Effect, PortError};
use sqlx::{Connection, PgConnection, Row};

use crate::error::port_error;
use crate::event::{count, damaged};
use crate::migrate::{guard, run};
use crate::{PgStore, Schema};

/// How many ranges are made ahead of the transactions of today.
const AHEAD: i64 = 2;

/// What became of a range of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PartitionState {
    /// Part of the log.
    Live,
    /// Taken out of the log, and still read where somebody asks for what is that old.
    Archived,
    /// Gone.
    Dropped,
}

/// A range of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Partition {
    /// Its table, in the store's schema.
    pub name: String,
    /// It holds the transactions below this one that no range before it holds.
    pub below: u64,
    /// What became of it.
    pub state: PartitionState,
}

impl PgStore {
    /// Divides the log into ranges of so many transactions, and makes the next ranges ahead of time.
    ///
    /// The first call makes what is there the first range: it reads the log once, while commits wait. Later
    /// calls make what is missing: to be called by the host about once a day, with a width of which less than
    /// one is used up between two calls. Where that was missed, new events stand in a table for everything
    /// else, which the next call makes a range as the first one did. Every write transaction of the server counts, also those of
    /// other databases. Needs the role that owns the schema.
    ///
    /// The statements stay as they are, and so do their plans; a stream's load looks into every range that is
    /// live.
    ///
    /// # Errors
    ///
    /// Where the server does not answer, or tables were in use for too long; nothing changed.
    pub async fn partition_log(&self, width: u64) -> Result<(), PortError> {
        let width = i64::try_from(width.max(1)).unwrap_or(i64::MAX / 8).min(i64::MAX / 8);
        let mut held = self.inner.connections.take("partition_log").await?;
        let done = divide(&mut held, &self.inner.settings.schema, width).await;
        done.map_err(|error| port_error("partition_log", Effect::Unknown, &error))?;
        held.keep();
        Ok(())
    }

    /// The ranges of the log, oldest first; none where it is not divided.
    ///
    /// # Errors
    ///
    /// Where the server does not answer.
    pub async fn partitions(&self) -> Result<Vec<Partition>, PortError> {
        let sql = "select name, below, state from commerce.partitions order by below";
        let statement = self.inner.settings.schema.sql(sql);
        let rows = self.read("partitions", || sqlx::query(statement.clone())).await?;
        let rows: Result<Vec<_>, _> = rows.iter().map(partition).collect();
        rows.map_err(|error| port_error("partitions", Effect::None, &error))
    }
}

fn partition(row: &sqlx::postgres::PgRow) -> Result<Partition, sqlx::Error> {
    let state = match row.try_get(2)? {
        "live" => PartitionState::Live,
        "archived" => PartitionState::Archived,
        "dropped" => PartitionState::Dropped,
        _ => return Err(damaged("a partition's state")),
    };
    Ok(Partition { name: row.try_get(0)?, below: count(row.try_get(1)?), state })
}

async fn divide(connection: &mut PgConnection, schema: &Schema, width: i64) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    guard(&mut transaction, schema).await?;
    let ahead = width.saturating_mul(AHEAD);
    let (from, now) = made(&mut transaction, schema).await?;
    if from < now.saturating_add(ahead) {
        // From here on no event is on its way into a table: what is seen stays true.
        run(&mut transaction, &schema.text("lock table commerce.events in access exclusive mode")).await?;
        let kind = "select relkind::text from pg_class where oid = 'commerce.events'::regclass";
        let kind: String = sqlx::query(schema.sql(kind)).fetch_one(&mut *transaction).await?.try_get(0)?;
        if kind == "r" {
            convert(&mut transaction, schema, width).await?;
        }
        extend(&mut transaction, schema, width).await?;
    }
    transaction.commit().await
}

/// Where the next range begins, 0 where there is none, and the next transaction.
async fn made(connection: &mut PgConnection, schema: &Schema) -> Result<(i64, i64), sqlx::Error> {
    let sql = "select coalesce(max(below), 0), pg_snapshot_xmax(pg_current_snapshot())::text::bigint \
               from commerce.partitions";
    let row = sqlx::query(schema.sql(sql)).fetch_one(connection).await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

/// Makes the ranges that are missing.
async fn extend(connection: &mut PgConnection, schema: &Schema, width: i64) -> Result<(), sqlx::Error> {
    let (mut from, now) = made(connection, schema).await?;
    let rest = "select exists (select from commerce.events_rest)";
    let rest: bool = sqlx::query(schema.sql(rest)).fetch_one(&mut *connection).await?.try_get(0)?;
    if from <= now || rest {
        from = catch_up(connection, schema, (from, width)).await?;
    }
    while from < now.saturating_add(width.saturating_mul(AHEAD)) {
        let below = from.saturating_add(width);
        let sql = format!(
            "create table commerce.events_{from} partition of commerce.events for values from ({from}) to ({below}); \
             alter table commerce.events_{from} add unique (id, kind, version), \
                 add constraint range check (tx >= {from} and tx < {below}); \
             insert into commerce.partitions (name, below, state) values ('events_{from}', {below}, 'live')"
        );
        run(connection, &schema.text(&sql)).await?;
        from = below;
    }
    Ok(())
}

/// Makes the table of events the first range of a new one.
async fn convert(connection: &mut PgConnection, schema: &Schema, width: i64) -> Result<(), sqlx::Error> {
    let below = above(connection, schema, width).await?;
    let sql = CONVERT.replace("{below}", &below.to_string()).replace("{rest}", REST);
    run(connection, &schema.text(&sql)).await
}

/// The next multiple of the width above every transaction that wrote an event or may still do it.
async fn above(connection: &mut PgConnection, schema: &Schema, width: i64) -> Result<i64, sqlx::Error> {
    // After a restore into a new cluster stored transactions can lie above those of today.
    let last = "select greatest(pg_snapshot_xmax(pg_current_snapshot())::text::bigint, \
                (select max(tx) from commerce.events), (select max(tx) from commerce.streams))";
    let last: i64 = sqlx::query(schema.sql(last)).fetch_one(&mut *connection).await?.try_get(0)?;
    Ok(last.saturating_div(width).saturating_add(1).saturating_mul(width))
}

/// Where ranges were not made in time: what stands in the table for everything else becomes a range. Gives
/// where the next one begins.
async fn catch_up(
    connection: &mut PgConnection,
    schema: &Schema,
    (from, width): (i64, i64),
) -> Result<i64, sqlx::Error> {
    let below = above(connection, schema, width).await?.max(from.saturating_add(width));
    let sql = format!(
        "alter table commerce.events detach partition commerce.events_rest; \
         alter table commerce.events_rest rename to events_{from}; \
         alter table commerce.events_{from} add constraint range check (tx >= {from} and tx < {below}); \
         alter table commerce.events attach partition commerce.events_{from} for values from ({from}) to ({below}); \
         {REST}; \
         insert into commerce.partitions (name, below, state) values ('events_{from}', {below}, 'live')"
    );
    run(connection, &schema.text(&sql)).await?;
    Ok(below)
}

/// The table for events that no range is there for.
const REST: &str = "create table commerce.events_rest partition of commerce.events default; \
                    alter table commerce.events_rest add unique (id, kind, version)";

/// Rights move to the new table; the view is made anew, because it follows the old one.
const CONVERT: &str = "
    alter table commerce.events rename to events_0;
    alter index commerce.events_pkey rename to events_0_pkey;
    alter index commerce.events_id_kind_version_key rename to events_0_id_kind_version_key;
    alter table commerce.events_0 add constraint range check (tx < {below});
    create table commerce.events (like commerce.events_0) partition by range (tx);
    alter table commerce.events add primary key (tx, position);
    alter table commerce.events attach partition commerce.events_0 for values from (minvalue) to ({below});
    {rest};
    insert into commerce.partitions (name, below, state) values ('events_0', {below}, 'live');
    create or replace view commerce.readable_events as
    select tx, position, kind, id, version, event_id, type, schema, at, correlation, causation, actor,
           convert_from(data, 'UTF8') as data
    from commerce.events;
    do $$
    declare
        known record;
    begin
        execute (select format('alter table commerce.events owner to %s', c.relowner::regrole)
                 from pg_class c where c.oid = 'commerce.events_0'::regclass);
        for known in
            select a.privilege_type as privilege, a.is_grantable as grantable,
                   case when a.grantee = 0 then 'public' else a.grantee::regrole::text end as grantee
            from pg_class c, aclexplode(c.relacl) a
            where c.oid = 'commerce.events_0'::regclass and a.grantee <> c.relowner
        loop
            execute format('grant %s on commerce.events to %s', known.privilege, known.grantee)
                || case when known.grantable then ' with grant option' else '' end;
        end loop;
    end
    $$";
