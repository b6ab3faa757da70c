//! The storage ports of `commerce-core` on PostgreSQL 15 or later.
//!
//! [`PgStore`] keeps streams, unique keys, pools, timers, marks and personal data in a schema of its own.
//! A whole commit is one call and one round trip; commits that arrive together are applied together, each
//! with its own result. A decision's load is one round trip too.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let store = commerce_adapters_postgres::PgStore::connect("postgres://shop@localhost/shop")?;
//! store.migrate().await?;
//! # Ok(())
//! # }
//! ```
//!
//! A store lives on the tokio runtime on which it is first used, and opens connections of its own: a pool
//! that pings around every statement would triple the round trips. For rows of the host and of the library
//! in one transaction see [`PgStore::commit_in`].
//!
//! # Rights
//!
//! [`PgStore::migrate`] needs a role that owns the schema. At run time less is enough:
//!
//! ```sql
//! grant usage on schema commerce to shop;
//! grant select, insert, update, delete on all tables in schema commerce to shop;
//! grant usage on all sequences in schema commerce to shop;
//! grant execute on all functions in schema commerce to shop;
//! ```
//!
//! Again after a migration, which may bring tables and functions.
//!
//! # Following the log
//!
//! Consumers, relays and projectors look at the log now and then. With [`Settings::waking`] and the sleeper of
//! [`PgStore::waking`] they hear of a commit at once.
//!
//! # What grows
//!
//! Events are kept. Marks make repeated requests known and are needed for a while only: call
//! [`PgStore::purge_marks`] once a day.
//!
//! A log that grows for years can be divided ([`PgStore::partition_log`]), and its old ranges archived
//! ([`PgStore::archive`]): what they left stays as opening entries, from which the log is audited; their tables
//! can be moved to cheaper storage and are still read; and in the end they can be dropped
//! ([`PgStore::drop_archived`]).
//!
//! # Restoring into a new cluster
//!
//! Transaction ids start anew there, while the stored ones are high; the log would hide its events until
//! the ids catch up. After a restore run `update commerce.events set tx = 1`, the same for
//! `commerce.streams` and `commerce.marks`, and start consumers from their marks. A log that was divided cannot
//! be renumbered like that: restore it from a physical backup, which keeps the ids.

mod archive;
mod clock;
mod commit;
mod connections;
mod error;
mod event;
mod host;
mod lag;
mod lease;
mod load;
mod migrate;
mod opening;
mod partitions;
mod purge;
mod read;
mod scan;
mod schema;
mod settings;
mod store;
mod timers;
mod types;
mod views;
mod wake;

pub use archive::{ArchiveError, Archived};
pub use clock::PgClock;
pub use lag::{Blocker, LogLag};
pub use migrate::{Migration, MigrationError, MigrationStatus};
pub use partitions::{Partition, PartitionState};
pub use purge::MARK_RETENTION;
pub use schema::{InvalidSchema, Schema};
pub use settings::Settings;
pub use sqlx;
pub use store::PgStore;
pub use views::PgViews;
pub use wake::PgWakeUps;
