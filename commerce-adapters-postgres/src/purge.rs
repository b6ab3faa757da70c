//! What need not be kept for ever.

use std::time::Duration;

use commerce_core::kernel::error::{Effect, PortError};
use sqlx::Row;

use crate::PgStore;
use crate::error::port_error;
use crate::event::count;
use crate::timers::micros;

/// The least time for which marks are kept.
///
/// A mark makes a repeated request known: whoever repeats one, a browser, a gateway or the delivery of a dead
/// letter, has to come within this time.
pub const MARK_RETENTION: Duration = Duration::from_hours(30 * 24);

/// How many rows go at a time: few enough that nobody waits for their locks.
const BATCH: i64 = 1_000;

/// Every batch is a transaction of its own, so `now()` is its time; a volatile time would not use the index.
const STATEMENT: &str = "with old as ( \
       select m.name from commerce.marks m where m.at < now() - $1 * interval '1 microsecond' \
       limit $2 for update skip locked \
     ), gone as (delete from commerce.marks m using old where m.name = old.name returning 1) \
     select count(*) from gone";

impl PgStore {
    /// Deletes the marks that are older than this and than [`MARK_RETENTION`], by the server's clock, and gives
    /// their number.
    ///
    /// A thousand at a time, each in a transaction of its own: it can be stopped anywhere, run by several
    /// processes at once, and run while traffic goes on. To be called by the host, about once a day. Nothing
    /// else depends on old marks: that a cart is bought once, or a coupon used once, rests on keys and pools.
    ///
    /// # Errors
    ///
    /// Where the server does not answer; what was deleted until then is gone, and the next call goes on.
    pub async fn purge_marks(&self, older_than: Duration) -> Result<u64, PortError> {
        let age = older_than.max(MARK_RETENTION);
        let mut gone = 0_u64;
        loop {
            let call = sqlx::query(self.inner.settings.schema.sql(STATEMENT)).bind(micros(age)).bind(BATCH);
            let rows = self.write("purge_marks", call).await?;
            let batch = rows.first().map_or(Ok(0), |row| row.try_get(0));
            let batch: i64 = batch.map_err(|error| port_error("purge_marks", Effect::Unknown, &error))?;
            gone = gone.saturating_add(count(batch));
            if batch < BATCH {
                return Ok(gone);
            }
        }
    }
}
