//! The log and single streams, page by page.

use std::sync::Arc;
use std::time::Duration;

use commerce_core::kernel::commit::LoadedStream;
use commerce_core::kernel::error::{Effect, PortError};
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::kernel::stream::{Position, StreamId, Version};
use commerce_core::port::store::{LogQuery, MAX_PAGE, Page};
use sqlx::Row;
use sqlx::SqlStr;
use sqlx::postgres::PgRow;
use tokio::time::{Instant, sleep};

use crate::commit::position_of;
use crate::error::{corrupt, port_error};
use crate::event::{COLUMNS, PERSONAL, count, event};
use crate::{PgStore, Schema};

/// First wait for events that a transaction in flight hides.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// The statements of reads, with the schema in place.
#[derive(Debug)]
pub(crate) struct ReadStatements {
    page: SqlStr,
    log: SqlStr,
    stream: SqlStr,
    archived: SqlStr,
    head: SqlStr,
}

impl ReadStatements {
    pub(crate) fn new(schema: &Schema) -> Self {
        let stream = |table: &str| {
            schema.sql(&format!(
                "select {COLUMNS} from commerce.{table} e {PERSONAL} \
                 where e.id = $1 and e.kind = $2 and e.version > $3 order by e.version limit $4"
            ))
        };
        Self {
            page: schema.sql(include_str!("sql/page.sql")),
            log: schema.sql(include_str!("sql/log.sql")),
            stream: stream("events"),
            archived: stream("archive"),
            head: schema.sql("select version from commerce.streams where id = $1 and kind = $2"),
        }
    }
}

impl PgStore {
    pub(crate) async fn read_log(&self, query: LogQuery) -> Result<Page, PortError> {
        let LogQuery { after, limit, slice } = query;
        let limit = i64::from(limit.min(MAX_PAGE));
        let ((tx, position), until) = (parts(after), Instant::now() + self.inner.settings.log_patience);
        let mut wait = LOOK_AGAIN;
        loop {
            let log = |statement: &SqlStr| {
                sqlx::query(statement.clone())
                    .bind(tx)
                    .bind(position)
                    .bind(limit)
                    .bind(i32::from(slice.index()))
                    .bind(i32::from(slice.of()))
            };
            let rows = self.read("read_all", || log(&self.inner.read.page)).await?;
            let found = events(&rows)?;
            if let Some(next) = found.last().map(|last| last.position) {
                return Ok(Page { events: found, next });
            }
            // Nothing, as it seems: where the log ends has to be told by the same look that found nothing.
            let rows = self.read("read_all", || log(&self.inner.read.log)).await?;
            let Some((end, hides)) = end(&rows)? else {
                let events = events(&rows)?;
                let next = events.last().map_or(after, |last| last.position);
                return Ok(Page { events, next });
            };
            if !hides || limit == 0 || Instant::now() >= until {
                let next = if limit == 0 { after } else { after.max(end) };
                return Ok(Page { events: Vec::new(), next });
            }
            // There are events, but a transaction that began before them is still in flight: an empty page
            // would say that the end was reached.
            sleep(wait).await;
            wait = wait.saturating_mul(2).min(Duration::from_millis(50));
        }
    }

    pub(crate) async fn read_events(
        &self,
        stream: &StreamId,
        after: Version,
        limit: u32,
    ) -> Result<Vec<Arc<RecordedEvent>>, PortError> {
        let found = self.events_of(&self.inner.read.stream, stream, (after, limit)).await?;
        let next = match found.first() {
            Some(first) => first.version,
            None => self.head(stream).await?.after(1),
        };
        if next <= after.after(1) || limit == 0 {
            return Ok(found);
        }
        // Events in between were archived; what is behind those is the next page's.
        let old = self.events_of(&self.inner.read.archived, stream, (after, limit)).await?;
        match old.first() {
            Some(first) if first.version == after.after(1) => Ok(old),
            _ => Err(corrupt("read_stream")),
        }
    }

    async fn head(&self, stream: &StreamId) -> Result<Version, PortError> {
        let query = || sqlx::query(self.inner.read.head.clone()).bind(stream.id).bind(&*stream.kind);
        let rows = self.read("read_stream", query).await?;
        let head = rows.first().map_or(Ok(0), |row| row.try_get(0));
        head.map(|head| Version::new(count(head)))
            .map_err(|error| port_error("read_stream", Effect::None, &error))
    }

    /// Events of a stream in one of the tables.
    async fn events_of(
        &self,
        statement: &SqlStr,
        stream: &StreamId,
        (after, limit): (Version, u32),
    ) -> Result<Vec<Arc<RecordedEvent>>, PortError> {
        let after = i64::try_from(after.get()).unwrap_or(i64::MAX);
        let query = || {
            sqlx::query(statement.clone())
                .bind(stream.id)
                .bind(&*stream.kind)
                .bind(after)
                .bind(i64::from(limit.min(MAX_PAGE)))
        };
        events(&self.read("read_stream", query).await?)
    }

    /// Adds what was archived to a stream that was loaded.
    ///
    /// An archived event never changes its place again, so that it may come from a later look.
    pub(crate) async fn complete(&self, after: Version, loaded: &mut LoadedStream) -> Result<(), PortError> {
        let mut base = loaded.snapshot.as_ref().map_or(after, |snapshot| snapshot.version.max(after));
        let first = loaded.events.first().map_or(loaded.version.after(1), |event| event.version);
        let mut old = Vec::new();
        while base.after(1) < first {
            let page = (base, MAX_PAGE);
            let found = self.events_of(&self.inner.read.archived, &loaded.stream, page).await?;
            let next = found.first().filter(|event| event.version == base.after(1));
            // It was dropped.
            base = next.and(found.last()).ok_or_else(|| corrupt("load"))?.version;
            old.extend(found);
        }
        if !old.is_empty() {
            old.append(&mut loaded.events);
            loaded.events = old;
        }
        Ok(())
    }
}

/// Where the log ends, and whether it goes on out of sight; only where a page is empty.
fn end(rows: &[PgRow]) -> Result<Option<(Position, bool)>, PortError> {
    let read = |row: &PgRow| {
        if row.try_get::<Option<&str>, _>(2)?.is_some() {
            return Ok(None);
        }
        let hides = row.try_get::<i64, _>(4)? > 0;
        Ok(Some((position_of(row.try_get(0)?, row.try_get(1)?), hides)))
    };
    let end = rows.first().map(read).transpose();
    let end = end.map_err(|error: sqlx::Error| port_error("read_all", Effect::None, &error))?;
    Ok(end.flatten())
}

fn events(rows: &[PgRow]) -> Result<Vec<Arc<RecordedEvent>>, PortError> {
    let events: Result<Vec<_>, sqlx::Error> = rows.iter().map(|row| event(row, 0)).collect();
    events.map_err(|error| port_error("read", Effect::None, &error))
}

pub(crate) fn parts(position: Position) -> (i64, i64) {
    let (high, low) = position.parts();
    (i64::try_from(high).unwrap_or(i64::MAX), i64::try_from(low).unwrap_or(i64::MAX))
}
