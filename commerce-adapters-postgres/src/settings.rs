//! What a host can set.

use std::time::Duration;

use crate::Schema;

/// How a [`PgStore`](crate::PgStore) works; start from `Settings::default()`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// Where the tables are.
    pub schema: Schema,
    /// Whether commits that arrive together are applied together.
    pub coalesce: bool,
    /// How many batches are under way at once.
    pub committers: usize,
    /// The most commits of one batch.
    pub batch: usize,
    /// The most commits that wait; further callers wait for room.
    pub queue: usize,
    /// The most connections that this store opens.
    pub connections: usize,
    /// How long a batch waits for a lock before its commits are tried one by one.
    pub batch_lock_timeout: Duration,
    /// How long a single commit waits for a lock.
    pub lock_timeout: Duration,
    /// How long any answer of the server is waited for.
    pub answer_timeout: Duration,
    /// How long a read of the log's end waits for events that a transaction in flight still hides.
    pub log_patience: Duration,
    /// Whether commits wake those who follow the log, see [`PgStore::waking`](crate::PgStore::waking).
    pub wake_up: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            schema: Schema::default(),
            coalesce: true,
            committers: 2,
            batch: 64,
            queue: 1024,
            connections: 16,
            batch_lock_timeout: Duration::from_millis(200),
            lock_timeout: Duration::from_secs(5),
            answer_timeout: Duration::from_secs(30),
            log_patience: Duration::from_secs(1),
            wake_up: false,
        }
    }
}

impl Settings {
    /// In this schema.
    #[must_use]
    pub fn with_schema(mut self, schema: Schema) -> Self {
        self.schema = schema;
        self
    }

    /// Every commit in a call of its own.
    #[must_use]
    pub fn without_coalescing(mut self) -> Self {
        self.coalesce = false;
        self
    }

    /// Commits wake those who follow the log.
    #[must_use]
    pub fn waking(mut self) -> Self {
        self.wake_up = true;
        self
    }

    /// With at most this many connections.
    #[must_use]
    pub fn with_connections(mut self, most: usize) -> Self {
        self.connections = most;
        self
    }
}
