//! How far readers of the log are held back, and by whom.

use std::time::Duration;

use commerce_core::kernel::error::{Effect, PortError};
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::PgStore;
use crate::error::port_error;
use crate::event::count;

const STATEMENT: &str = include_str!("sql/lag.sql");

/// What readers of the log cannot see yet.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogLag {
    /// Events that are committed but wait for an earlier transaction, counted up to 10,000.
    pub hidden: u64,
    /// The oldest transaction in flight, where it can be seen.
    pub blocker: Option<Blocker>,
}

/// A transaction that holds readers of the log back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Blocker {
    /// The process id of its session; 0 for a prepared transaction.
    pub process: i32,
    /// What the session calls itself, or the name of the prepared transaction.
    pub application: String,
    /// What it does, for example `idle in transaction`.
    pub state: String,
    /// For how long its transaction lasts.
    pub age: Duration,
}

impl PgStore {
    /// Asks how far readers of the log are held back, and by which transaction.
    ///
    /// A transaction that wrote and then idles, anywhere in the cluster, holds the log back until it ends;
    /// raise an alarm where `hidden` stays above zero, and set `idle_in_transaction_session_timeout`.
    ///
    /// # Errors
    ///
    /// Where the server does not answer.
    pub async fn log_lag(&self) -> Result<LogLag, PortError> {
        let statement = self.inner.settings.schema.sql(STATEMENT);
        let rows = self.read("log_lag", || sqlx::query(statement.clone())).await?;
        let lag = rows.first().map(read).transpose();
        let lag = lag.map_err(|error| port_error("log_lag", Effect::None, &error))?;
        Ok(lag.unwrap_or(LogLag { hidden: 0, blocker: None }))
    }
}

fn read(row: &PgRow) -> Result<LogLag, sqlx::Error> {
    let blocker = match row.try_get::<Option<i32>, _>(1)? {
        None => None,
        Some(process) => Some(Blocker {
            process,
            application: row.try_get::<Option<String>, _>(2)?.unwrap_or_default(),
            state: row.try_get::<Option<String>, _>(3)?.unwrap_or_default(),
            age: Duration::from_micros(count(row.try_get::<Option<i64>, _>(4)?.unwrap_or(0))),
        }),
    };
    Ok(LogLag { hidden: count(row.try_get(0)?), blocker })
}
