//! The log and single streams, page by page.

use std::sync::Arc;
use std::time::Duration;

use commerce_core::kernel::error::{Effect, PortError};
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::kernel::stream::{Position, StreamId, Version};
use commerce_core::port::store::{LogQuery, MAX_PAGE, Page};
use sqlx::Row;
use sqlx::SqlStr;
use sqlx::postgres::PgRow;
use tokio::time::{Instant, sleep};

use crate::commit::position_of;
use crate::error::port_error;
use crate::event::{COLUMNS, PERSONAL, event};
use crate::{PgStore, Schema};

/// First wait for events that a transaction in flight hides.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// The statements of reads, with the schema in place.
#[derive(Debug)]
pub(crate) struct ReadStatements {
    log: SqlStr,
    stream: SqlStr,
}

impl ReadStatements {
    pub(crate) fn new(schema: &Schema) -> Self {
        let stream = format!(
            "select {COLUMNS} from commerce.events e {PERSONAL} \
             where e.id = $1 and e.kind = $2 and e.version > $3 order by e.version limit $4"
        );
        Self { log: schema.sql(include_str!("sql/log.sql")), stream: schema.sql(&stream) }
    }
}

impl PgStore {
    pub(crate) async fn read_log(&self, query: LogQuery) -> Result<Page, PortError> {
        let LogQuery { after, limit, slice } = query;
        let limit = i64::from(limit.min(MAX_PAGE));
        let ((tx, position), until) = (parts(after), Instant::now() + self.inner.settings.log_patience);
        let mut wait = LOOK_AGAIN;
        loop {
            let log = || {
                sqlx::query(self.inner.read.log.clone())
                    .bind(tx)
                    .bind(position)
                    .bind(limit)
                    .bind(i32::from(slice.index()))
                    .bind(i32::from(slice.of()))
            };
            let rows = self.read("read_all", log).await?;
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
        let after = i64::try_from(after.get()).unwrap_or(i64::MAX);
        let query = || {
            sqlx::query(self.inner.read.stream.clone())
                .bind(stream.id)
                .bind(&*stream.kind)
                .bind(after)
                .bind(i64::from(limit.min(MAX_PAGE)))
        };
        events(&self.read("read_stream", query).await?)
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
