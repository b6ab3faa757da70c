//! The log and single streams, page by page.

use std::sync::Arc;
use std::time::Duration;

use commerce_core::kernel::error::{Effect, PortError};
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::kernel::stream::{Position, StreamId, Version};
use commerce_core::port::store::{MAX_PAGE, Page};
use sqlx::SqlStr;
use sqlx::postgres::PgRow;
use tokio::time::{Instant, sleep};

use crate::error::port_error;
use crate::event::{COLUMNS, PERSONAL, event};
use crate::{PgStore, Schema};

/// First wait for events that a transaction in flight hides.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// The statements of reads, with the schema in place.
#[derive(Debug)]
pub(crate) struct ReadStatements {
    log: SqlStr,
    hidden: SqlStr,
    stream: SqlStr,
}

impl ReadStatements {
    pub(crate) fn new(schema: &Schema) -> Self {
        // Transaction ids are given out in another order than transactions end. What lies below the oldest
        // one in flight is complete; the cursor is the pair, because a lower transaction can hold a higher
        // position.
        let log = format!(
            "select {COLUMNS} from commerce.events e {PERSONAL} \
             where (e.tx, e.position) > ($1, $2) \
               and e.tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint \
             order by e.tx, e.position limit $3"
        );
        let stream = format!(
            "select {COLUMNS} from commerce.events e {PERSONAL} \
             where e.id = $1 and e.kind = $2 and e.version > $3 order by e.version limit $4"
        );
        let hidden = "select exists (select from commerce.events e where (e.tx, e.position) > ($1, $2))";
        Self { log: schema.sql(&log), hidden: schema.sql(hidden), stream: schema.sql(&stream) }
    }
}

impl PgStore {
    pub(crate) async fn read_log(&self, after: Position, limit: u32) -> Result<Page, PortError> {
        let limit = i64::from(limit.min(MAX_PAGE));
        let (tx, position) = parts(after);
        let until = Instant::now() + self.inner.settings.log_patience;
        let mut wait = LOOK_AGAIN;
        loop {
            let log = || sqlx::query(self.inner.read.log.clone()).bind(tx).bind(position).bind(limit);
            let events = events(&self.read("read_all", log).await?)?;
            let complete = !events.is_empty() || limit == 0 || Instant::now() >= until;
            if complete || !self.hides(after).await? {
                let next = events.last().map_or(after, |last| last.position);
                return Ok(Page { events, next });
            }
            // Committed, but a transaction that began earlier is still in flight: an empty page would say
            // that the end was reached.
            sleep(wait).await;
            wait = wait.saturating_mul(2).min(Duration::from_millis(50));
        }
    }

    /// Whether there are committed events behind a position, which may not be read yet.
    async fn hides(&self, after: Position) -> Result<bool, PortError> {
        let (tx, position) = parts(after);
        let query = || sqlx::query(self.inner.read.hidden.clone()).bind(tx).bind(position);
        let rows = self.read("read_all", query).await?;
        let hides = rows.first().map(|row| sqlx::Row::try_get(row, 0)).transpose();
        Ok(hides.map_err(|error| port_error("read_all", Effect::None, &error))?.unwrap_or(false))
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

fn events(rows: &[PgRow]) -> Result<Vec<Arc<RecordedEvent>>, PortError> {
    let events: Result<Vec<_>, sqlx::Error> = rows.iter().map(|row| event(row, 0)).collect();
    events.map_err(|error| port_error("read", Effect::None, &error))
}

pub(crate) fn parts(position: Position) -> (i64, i64) {
    let (high, low) = position.parts();
    (i64::try_from(high).unwrap_or(i64::MAX), i64::try_from(low).unwrap_or(i64::MAX))
}
