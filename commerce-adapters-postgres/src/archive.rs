//! Takes closed ranges out of the log, and keeps what they left.

use commerce_core::kernel::codec::CodecError;
use commerce_core::kernel::error::{Effect, PortError};
use commerce_core::kernel::rebuild::{OpeningEntry, Rebuilt, Registry};
use commerce_core::kernel::stream::{Label, Position};
use commerce_core::port::store::{MAX_PAGE, Table};
use sqlx::{Connection, PgConnection, Row};

use crate::error::port_error;
use crate::event::{COLUMNS, PERSONAL, count, event};
use crate::migrate::{guard, run};
use crate::opening::{self, Columns};
use crate::read::parts;
use crate::{PgStore, Schema};

/// What was archived.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Archived {
    /// The range's table, in the store's schema.
    pub name: String,
    /// How many events it holds.
    pub events: u64,
}

/// A range cannot be archived or dropped; nothing changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// It holds events whose effects nobody has registered.
    #[error("the effects of `{0}` are not registered")]
    Unregistered(Label),
    /// An event cannot be read.
    #[error("an event cannot be read")]
    Codec(#[from] CodecError),
    /// No range of this name was archived.
    #[error("no archived range has this name")]
    Unknown,
    /// An older range is still there: what is left must not have a hole.
    #[error("an older range has to be dropped first")]
    NotOldest,
    /// The server failed, refused, or tables were in use for too long.
    #[error("the store failed")]
    Port(#[from] PortError),
}

impl PgStore {
    /// Takes the oldest range of the log out of it, where no transaction can write to it any more, and writes
    /// what its events left as opening entries: the log is audited from there on. `None` where no range is
    /// closed. See [`partition_log`](Self::partition_log), of which it needs the role.
    ///
    /// The events are still there, in a table that can be moved to cheaper storage: streams that have some of
    /// them are loaded in one more round trip, and readers of the log that stand before its beginning read
    /// them. Commits wait only for the moment in which the range changes hands.
    ///
    /// # Errors
    ///
    /// [`ArchiveError`]
    pub async fn archive(&self, registry: &Registry) -> Result<Option<Archived>, ArchiveError> {
        let mut held = self.inner.connections.take("archive").await?;
        let archived = archive(&mut held, &self.inner.settings.schema, registry).await;
        if archived.is_ok() {
            held.keep();
        }
        archived
    }

    /// Deletes an archived range, oldest first.
    ///
    /// After that, what only its events tell is gone: streams whose state does not follow from a snapshot
    /// cannot be loaded, and a reader of the log that stands before its beginning fails. The host keeps a copy
    /// of the table for as long as the law asks, and sees to it that no consumer lags behind.
    ///
    /// # Errors
    ///
    /// [`ArchiveError`]
    pub async fn drop_archived(&self, name: &str) -> Result<(), ArchiveError> {
        let mut held = self.inner.connections.take("drop_archived").await?;
        let dropped = drop_oldest(&mut held, &self.inner.settings.schema, name).await;
        if dropped.is_ok() {
            held.keep();
        }
        dropped
    }
}

fn failed(error: &sqlx::Error) -> ArchiveError {
    ArchiveError::Port(port_error("archive", Effect::Unknown, error))
}

/// The oldest range of the log that no transaction can write to.
const CLOSED: &str = "select name, below from (
        select name, below from commerce.partitions where state = 'live' order by below limit 1) oldest
    where below <= pg_snapshot_xmin(pg_current_snapshot())::text::bigint";

async fn archive(
    connection: &mut PgConnection,
    schema: &Schema,
    registry: &Registry,
) -> Result<Option<Archived>, ArchiveError> {
    let error = |error: sqlx::Error| failed(&error);
    let mut transaction = connection.begin().await.map_err(error)?;
    guard(&mut transaction, schema).await.map_err(error)?;
    let oldest = sqlx::query(schema.sql(CLOSED)).fetch_optional(&mut *transaction).await.map_err(error)?;
    let Some(oldest) = oldest else {
        transaction.rollback().await.map_err(error)?;
        return Ok(None);
    };
    let name: String = oldest.try_get(0).map_err(error)?;
    let below: i64 = oldest.try_get(1).map_err(error)?;
    let mut rebuilt = Rebuilt::default();
    for table in [Table::Keys, Table::Pools, Table::Timers] {
        opening::read(&mut transaction, schema, table, |entry| rebuilt.open(entry)).await.map_err(error)?;
    }
    let events = follow(&mut transaction, schema, (&name, registry), &mut rebuilt).await?;
    write(&mut transaction, schema, rebuilt.entries()).await.map_err(error)?;
    detach(&mut transaction, schema, &name, below).await.map_err(error)?;
    transaction.commit().await.map_err(error)?;
    Ok(Some(Archived { name, events }))
}

/// Follows the events of a range.
async fn follow(
    connection: &mut PgConnection,
    schema: &Schema,
    (name, registry): (&str, &Registry),
    rebuilt: &mut Rebuilt,
) -> Result<u64, ArchiveError> {
    let sql = format!(
        "select {COLUMNS} from commerce.{name} e {PERSONAL} \
         where (e.tx, e.position) > ($1, $2) order by e.tx, e.position limit $3"
    );
    let statement = schema.sql(&sql);
    let (mut position, mut events) = (Position::START, 0_u64);
    loop {
        let (tx, low) = parts(position);
        let call = sqlx::query(statement.clone()).bind(tx).bind(low).bind(i64::from(MAX_PAGE));
        let rows = call.fetch_all(&mut *connection).await.map_err(|error| failed(&error))?;
        if rows.is_empty() {
            return Ok(events);
        }
        for row in &rows {
            let recorded = event(row, 0).map_err(|error| failed(&error))?;
            let effects = registry.effects(&recorded);
            let effects = effects.ok_or_else(|| ArchiveError::Unregistered(recorded.stream.kind.clone()))?;
            rebuilt.apply(&recorded.stream, effects?);
            position = recorded.position;
            events = events.saturating_add(1);
        }
    }
}

/// Puts opening entries in the place of those that were there.
async fn write(
    connection: &mut PgConnection,
    schema: &Schema,
    entries: impl Iterator<Item = OpeningEntry>,
) -> Result<(), sqlx::Error> {
    let old = "delete from commerce.opening_keys; delete from commerce.opening_pools; \
               delete from commerce.opening_timers";
    run(connection, &schema.text(old)).await?;
    let mut columns = Columns::default();
    for entry in entries {
        columns.push(entry);
        if columns.len() >= MAX_PAGE as usize {
            std::mem::take(&mut columns).insert(connection, schema).await?;
        }
    }
    columns.insert(connection, schema).await
}

/// The range changes hands. Its own constraint spares the server to look at its rows.
async fn detach(
    connection: &mut PgConnection,
    schema: &Schema,
    name: &str,
    below: i64,
) -> Result<(), sqlx::Error> {
    let before = "select coalesce(max(below)::text, 'minvalue') from commerce.partitions where below < $1";
    let row = sqlx::query(schema.sql(before)).bind(below).fetch_one(&mut *connection).await?;
    let from: String = row.try_get(0)?;
    let sql = format!(
        "alter table commerce.events detach partition commerce.{name}; \
         alter table commerce.archive attach partition commerce.{name} for values from ({from}) to ({below}); \
         update commerce.partitions set state = 'archived' where name = '{name}'; \
         lock table commerce.erased in share row exclusive mode; \
         delete from commerce.opening_keys k using commerce.erased e where k.subject = e.subject"
    );
    // Who erases takes these locks in the same order. Keys of a subject that was erased while the range was
    // read go here, and nobody can erase between this and the commit.
    run(connection, &schema.text(&sql)).await
}

async fn drop_oldest(connection: &mut PgConnection, schema: &Schema, name: &str) -> Result<(), ArchiveError> {
    let error = |error: sqlx::Error| failed(&error);
    let mut transaction = connection.begin().await.map_err(error)?;
    guard(&mut transaction, schema).await.map_err(error)?;
    let oldest = "select name from commerce.partitions where state = 'archived' order by below";
    let rows = sqlx::query(schema.sql(oldest)).fetch_all(&mut *transaction).await.map_err(error)?;
    let names: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get(0)).collect();
    let names = names.map_err(error)?;
    // What is run below holds a name that the server gave, never the caller's.
    let known = names.iter().position(|known| known == name).ok_or(ArchiveError::Unknown)?;
    if known > 0 {
        return Err(ArchiveError::NotOldest);
    }
    let sql = format!(
        "delete from commerce.personal p using commerce.{name} e \
             where e.personal > 0 and p.id = e.id and p.kind = e.kind and p.version = e.version; \
         drop table commerce.{name}; \
         update commerce.partitions set state = 'dropped' where name = '{name}'"
    );
    run(&mut transaction, &schema.text(&sql)).await.map_err(error)?;
    transaction.commit().await.map_err(error)
}

/// The end of what was archived.
pub(crate) const END: &str = "select coalesce(max(below), 0) from commerce.partitions where state <> 'live'";

/// Behind every event below this transaction.
pub(crate) fn behind(below: i64) -> Position {
    if below == 0 {
        Position::START
    } else {
        Position::from_parts(count(below).saturating_sub(1), i64::MAX.unsigned_abs())
    }
}
