//! Named, fenced leases, by the server's clock.

use std::time::Duration;

use async_trait::async_trait;
use commerce_core::kernel::commit::Fence;
use commerce_core::kernel::error::{Effect, PortError};
use commerce_core::port::lease::{Granted, Lease};
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::PgStore;
use crate::error::port_error;
use crate::event::count;
use crate::timers::micros;
use crate::types::Moment;

/// The end of a lease that starts now.
const END: &str = "least(coalesce($3, clock_timestamp()) + $2 * interval '1 microsecond', \
                   timestamptz '9999-12-31 23:59:59.999999+00')";

#[async_trait]
impl Lease for PgStore {
    async fn acquire(&self, name: &str, span: Duration) -> Result<Option<Granted>, PortError> {
        let sql = format!(
            "insert into commerce.leases as l (name, token, until) values ($1, 1, {END}) \
             on conflict (name) do update set token = l.token + 1, until = {END} \
             where l.until is null or l.until <= coalesce($3, clock_timestamp()) returning l.token, l.until"
        );
        let call = sqlx::query(self.inner.settings.schema.sql(&sql))
            .bind(name)
            .bind(micros(span))
            .bind(self.moment());
        granted("acquire", name, &self.write("acquire", call).await?)
    }

    async fn renew(&self, fence: &Fence, span: Duration) -> Result<Option<Granted>, PortError> {
        let sql = format!(
            "update commerce.leases l set until = {END} \
             where l.name = $1 and l.token = $4 and l.until > coalesce($3, clock_timestamp()) returning l.token, l.until"
        );
        let call = sqlx::query(self.inner.settings.schema.sql(&sql))
            .bind(&*fence.name)
            .bind(micros(span))
            .bind(self.moment())
            .bind(token(fence));
        granted("renew", &fence.name, &self.write("renew", call).await?)
    }

    async fn release(&self, fence: &Fence) -> Result<(), PortError> {
        let sql = "update commerce.leases set until = null where name = $1 and token = $2";
        let call = sqlx::query(self.inner.settings.schema.sql(sql)).bind(&*fence.name).bind(token(fence));
        self.write("release", call).await.map(drop)
    }
}

fn token(fence: &Fence) -> i64 {
    i64::try_from(fence.token).unwrap_or(i64::MAX)
}

fn granted(operation: &'static str, name: &str, rows: &[PgRow]) -> Result<Option<Granted>, PortError> {
    let Some(row) = rows.first() else { return Ok(None) };
    let read = || {
        let token = count(row.try_get(0)?);
        Ok(Granted { fence: Fence { name: name.into(), token }, until: row.try_get::<Moment, _>(1)?.0 })
    };
    read().map(Some).map_err(|error: sqlx::Error| port_error(operation, Effect::Unknown, &error))
}
