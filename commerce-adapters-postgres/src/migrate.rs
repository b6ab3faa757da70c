//! The schema's versions: applied in order, once, under a lock.

use std::time::Duration;

use commerce_core::kernel::error::PortError;
use sqlx::{AssertSqlSafe, PgConnection, Row, raw_sql};

use crate::error::port_error;
use crate::{PgStore, Schema};

/// One step of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migration {
    /// Its number, from 1.
    pub version: i32,
    /// What it brings.
    pub name: &'static str,
    /// Its SQL, with the schema's name in place.
    pub sql: String,
}

/// How a database stands to this version of the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MigrationStatus {
    /// It has every migration.
    Current,
    /// These are still to be applied.
    Pending {
        /// The newest that it has; 0 for none.
        applied: i32,
        /// The newest there is.
        newest: i32,
    },
    /// It has migrations that this version does not know: a newer version of the library made them.
    Newer {
        /// The newest that it has.
        applied: i32,
    },
}

/// A migration failed; the database is as before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// A newer version of the library was here.
    #[error("the schema is at version {applied}, which this version of the library does not know")]
    Newer {
        /// The newest migration that the database has.
        applied: i32,
    },
    /// The database holds no text as UTF-8.
    #[error("the database's encoding is not UTF-8")]
    Encoding,
    /// The server failed or refused.
    #[error(transparent)]
    Port(#[from] PortError),
}

const MIGRATIONS: [(&str, &str); 7] = [
    ("tables", include_str!("sql/0001_tables.sql")),
    ("commit", include_str!("sql/0002_commit.sql")),
    ("load", include_str!("sql/0003_load.sql")),
    ("views", include_str!("sql/0004_views.sql")),
    ("growth", include_str!("sql/0005_growth.sql")),
    ("partitions", include_str!("sql/0006_partitions.sql")),
    ("due", include_str!("sql/0007_due.sql")),
];
/// How long a migration waits for a table that traffic uses, before it gives up.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

fn migrations(schema: &Schema) -> Vec<Migration> {
    let numbered = MIGRATIONS.iter().zip(1..);
    numbered.map(|((name, sql), version)| Migration { version, name, sql: schema.text(sql) }).collect()
}

impl PgStore {
    /// Every migration in order, for teams that apply them with a tool of their own.
    ///
    /// They expect the schema to be there, and record nothing.
    pub fn migrations(&self) -> Vec<Migration> {
        migrations(&self.inner.settings.schema)
    }

    /// Brings the schema up to date; does nothing where it is.
    ///
    /// Safe to call from every process at every start: one of them does the work, in one transaction,
    /// while the others wait. Touches nothing outside of the schema.
    ///
    /// # Errors
    ///
    /// [`MigrationError`]
    pub async fn migrate(&self) -> Result<(), MigrationError> {
        let mut held = self.inner.connections.take("migrate").await?;
        let result = migrate(&mut held, &self.inner.settings.schema).await;
        if result.is_ok() {
            held.keep();
        }
        result
    }

    /// Compares the schema with this version of the library and changes nothing.
    ///
    /// # Errors
    ///
    /// Where the server does not answer.
    pub async fn migrate_check(&self) -> Result<MigrationStatus, PortError> {
        let mut held = self.inner.connections.take("migrate_check").await?;
        let applied = applied(&mut held, &self.inner.settings.schema).await;
        let applied = applied.map_err(|error| failed("migrate_check", &error))?;
        held.keep();
        Ok(status(applied))
    }
}

fn status(applied: i32) -> MigrationStatus {
    let newest = i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX);
    match applied.cmp(&newest) {
        std::cmp::Ordering::Equal => MigrationStatus::Current,
        std::cmp::Ordering::Less => MigrationStatus::Pending { applied, newest },
        std::cmp::Ordering::Greater => MigrationStatus::Newer { applied },
    }
}

async fn migrate(connection: &mut PgConnection, schema: &Schema) -> Result<(), MigrationError> {
    let error = |error: sqlx::Error| MigrationError::Port(failed("migrate", &error));
    let encoding = sqlx::query("show server_encoding").fetch_one(&mut *connection).await.map_err(error)?;
    if encoding.try_get::<String, _>(0).map_err(error)? != "UTF8" {
        return Err(MigrationError::Encoding);
    }
    // Without a lock first: a role without the right to create anything may ask too.
    match status(applied(connection, schema).await.map_err(error)?) {
        MigrationStatus::Current => return Ok(()),
        MigrationStatus::Newer { applied } => return Err(MigrationError::Newer { applied }),
        MigrationStatus::Pending { .. } => {}
    }
    run(connection, "begin").await.map_err(error)?;
    let done = apply(connection, schema).await;
    let end = if done.is_ok() { "commit" } else { "rollback" };
    run(connection, end).await.map_err(error)?;
    done.map_err(error)
}

async fn apply(connection: &mut PgConnection, schema: &Schema) -> Result<(), sqlx::Error> {
    let name = schema.as_str();
    guard(connection, schema).await?;
    let before = applied(connection, schema).await?;
    if before == 0 {
        run(connection, &format!("create schema if not exists \"{name}\"")).await?;
        let table = "create table if not exists commerce.migrations (
            version integer primary key, name text not null, at timestamptz not null default now())";
        run(connection, &schema.text(table)).await?;
    }
    for migration in migrations(schema).into_iter().filter(|migration| migration.version > before) {
        run(connection, &migration.sql).await?;
        let record = "insert into commerce.migrations (version, name) values ($1, $2)";
        sqlx::query(schema.sql(record))
            .bind(migration.version)
            .bind(migration.name)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Inside a transaction: whoever changes tables does it alone, and does not wait for one for ever.
pub(crate) async fn guard(connection: &mut PgConnection, schema: &Schema) -> Result<(), sqlx::Error> {
    let name = schema.as_str();
    run(connection, &format!("select pg_advisory_xact_lock(hashtextextended('{name}.migration', 0))"))
        .await?;
    run(connection, &format!("set local lock_timeout = {}", LOCK_TIMEOUT.as_millis())).await
}

/// The newest migration that the database has; 0 for none.
async fn applied(connection: &mut PgConnection, schema: &Schema) -> Result<i32, sqlx::Error> {
    // Asked of the catalogue's own tables: a name may still be looked up as it was before the lock came.
    let known = sqlx::query(
        "select exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace \
         where n.nspname = $1 and c.relname = 'migrations')",
    )
    .bind(schema.as_str())
    .fetch_one(&mut *connection);
    if !known.await?.try_get::<bool, _>(0)? {
        return Ok(0);
    }
    let newest = "select coalesce(max(version), 0) from commerce.migrations";
    sqlx::query(schema.sql(newest)).fetch_one(connection).await?.try_get(0)
}

/// Runs statements that take no parameters.
pub(crate) async fn run(connection: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    // Made of constants and the schema's name, which was checked when it was made.
    raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(drop)
}

fn failed(operation: &'static str, error: &sqlx::Error) -> PortError {
    port_error(operation, commerce_core::kernel::error::Effect::Unknown, error)
}
