//! Due timers and their leases, by the server's clock.

use std::time::Duration;

use commerce_core::kernel::error::{Effect, PortError};
use commerce_core::kernel::timer::DueTimer;
use commerce_core::port::store::{Due, DueQuery, MAX_PAGE};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::PgStore;
use crate::commit::parse_timer;
use crate::error::port_error;
use crate::event::damaged;
use crate::types::Moment;

/// One row for the clock and the next timer, one for every timer that is given out.
const STATEMENT: &str = "select * from commerce.due($1, $2, $3, $4)";
/// The longest lease, in microseconds: about 300 years.
const LONGEST: u64 = 9_000_000_000_000_000;

pub(crate) async fn due(store: &PgStore, query: DueQuery) -> Result<Due, PortError> {
    let kinds: Vec<&str> = query.kinds.iter().map(|kind| &**kind).collect();
    let statement = store.inner.settings.schema.sql(STATEMENT);
    let call = sqlx::query(statement)
        .bind(kinds)
        .bind(i64::from(query.limit.min(MAX_PAGE)))
        .bind(micros(query.lease))
        .bind(store.moment());
    let rows = store.write("due", call).await?;
    read(&rows).map_err(|error| port_error("due", Effect::Unknown, &error))
}

/// A span as the statements take it.
pub(crate) fn micros(span: Duration) -> i64 {
    let micros = u64::try_from(span.as_micros()).unwrap_or(LONGEST).min(LONGEST);
    i64::try_from(micros).unwrap_or(i64::MAX)
}

fn read(rows: &[PgRow]) -> Result<Due, sqlx::Error> {
    let (mut now, mut next, mut timers) = (None, None, Vec::new());
    for row in rows {
        match row.try_get::<Option<&str>, _>(0)? {
            None => {
                now = Some(row.try_get::<Moment, _>(1)?.0);
                next = row.try_get::<Option<Moment>, _>(2)?.map(|moment| moment.0);
            }
            Some(name) => timers.push(DueTimer {
                key: parse_timer(name).ok_or_else(|| damaged("a timer"))?,
                due: row.try_get::<Moment, _>(1)?.0,
                payload: row.try_get::<&[u8], _>(3)?.into(),
                token: row.try_get::<Uuid, _>(4)?,
            }),
        }
    }
    timers.sort_by(|left, right| (left.due, &left.key).cmp(&(right.due, &right.key)));
    Ok(Due { now: now.ok_or_else(|| damaged("the clock"))?, timers, next })
}
