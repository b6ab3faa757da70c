//! The store: settings, connections, and the port.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::kernel::commit::{Commit, Load, Loaded, Receipt};
use commerce_core::kernel::error::{CommitError, Effect, PortError, PortErrorKind};
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::kernel::stream::{StreamId, Version};
use commerce_core::port::clock::Clock;
use commerce_core::port::observer::Observer;
use commerce_core::port::store::{Capabilities, Due, DueQuery, LogQuery, Opening, Page, Row, Store, Table};
use sqlx::SqlStr;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPool, PgRow, Postgres};
use sqlx::query::Query;
use tokio::time::timeout;

use crate::clock::Time;
use crate::commit::{Applier, Locks, Prepared, Queue, statement};
use crate::connections::Connections;
use crate::error::{PORT, Verdict, port_error, timeout as timed_out, verdict};
use crate::read::ReadStatements;
use crate::types::Moment;
use crate::wake::Bell;
use crate::{Settings, load, opening, scan, timers};

/// A query under construction.
pub(crate) type Call<'q> = Query<'q, Postgres, PgArguments>;

/// The five primitives, the log and leases in one schema of a PostgreSQL database.
///
/// Clones share everything. Nothing is opened before it is needed.
#[derive(Clone)]
pub struct PgStore {
    pub(crate) inner: Arc<Inner>,
}

/// What clones share.
pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) connections: Arc<Connections>,
    pub(crate) applier: Arc<Applier>,
    pub(crate) locks: Locks,
    pub(crate) read: ReadStatements,
    load: SqlStr,
    queue: Option<Arc<Queue>>,
    pub(crate) bell: Bell,
}

impl PgStore {
    /// A store at this address, with the default settings.
    ///
    /// # Errors
    ///
    /// Where the address cannot be read; nothing is opened yet.
    pub fn connect(url: &str) -> Result<Self, PortError> {
        let invalid = PortError::new(PortErrorKind::Invalid, Effect::None, PORT, "connect");
        let options = PgConnectOptions::from_str(url).map_err(|_| invalid)?;
        Ok(Self::new(options, Settings::default()))
    }

    /// A store that connects with these options.
    pub fn new(options: PgConnectOptions, settings: Settings) -> Self {
        Self::timed(options, settings, Time::Server)
    }

    /// A store that judges timers and leases by this clock instead of the server's: for tests and
    /// simulations. All processes that share the database must then share the clock.
    pub fn with_clock(options: PgConnectOptions, settings: Settings, clock: Arc<dyn Clock>) -> Self {
        Self::timed(options, settings, Time::Host(clock))
    }

    /// The time to send along, where it is not the server's.
    pub(crate) fn moment(&self) -> Option<Moment> {
        self.inner.applier.time.moment()
    }

    fn timed(options: PgConnectOptions, settings: Settings, time: Time) -> Self {
        let patience = settings.answer_timeout;
        let connections = Arc::new(Connections::new(options, settings.connections, patience));
        let applier = Arc::new(Applier {
            connections: connections.clone(),
            statement: settings.schema.sql(&statement()),
            patience,
            time,
            batch_wait: milliseconds(settings.batch_lock_timeout),
            wait: milliseconds(settings.lock_timeout),
        });
        let queue = settings.coalesce.then(|| {
            let queue = Queue::new(applier.clone(), settings.committers, settings.batch, settings.queue);
            Arc::new(queue)
        });
        let inner = Inner {
            locks: Locks::of_schema(settings.schema.as_str()),
            read: ReadStatements::new(&settings.schema),
            load: settings.schema.sql(load::STATEMENT),
            settings,
            connections,
            applier,
            queue,
            bell: Bell::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// A store that connects as a pool of the host does. The pool itself is not used: it would ping before
    /// and behind every statement.
    pub fn from_pool(pool: &PgPool, settings: Settings) -> Self {
        Self::new(pool.connect_options().as_ref().clone(), settings)
    }

    /// With somebody who watches how many commits share a call. The first one stays, and watches all clones;
    /// nobody sees anything of a store that does not coalesce.
    #[must_use]
    pub fn with_observer(self, observer: Arc<dyn Observer>) -> Self {
        if let Some(queue) = &self.inner.queue {
            queue.watch(observer);
        }
        self
    }

    /// Asks the server whether it is there.
    ///
    /// # Errors
    ///
    /// Where it does not answer.
    pub async fn ping(&self) -> Result<(), PortError> {
        self.read("ping", || sqlx::query("select 1")).await.map(drop)
    }

    /// Runs a query that only reads, again where a connection turns out to be lost.
    pub(crate) async fn read<'q>(
        &self,
        operation: &'static str,
        query: impl Fn() -> Call<'q> + Send + Sync,
    ) -> Result<Vec<PgRow>, PortError> {
        let result = self.try_read(operation, query).await?;
        result.map_err(|error| port_error(operation, Effect::None, &error))
    }

    /// Runs a query that only reads, for a caller who knows what to do about some errors of the server.
    pub(crate) async fn try_read<'q>(
        &self,
        operation: &'static str,
        query: impl Fn() -> Call<'q> + Send + Sync,
    ) -> Result<Result<Vec<PgRow>, sqlx::Error>, PortError> {
        let mut again = true;
        loop {
            let (result, used) = self.once(operation, query()).await?;
            match result {
                Err(error) if again && used && verdict(&error) == Verdict::Lost => again = false,
                result => return Ok(result),
            }
        }
    }

    /// Runs a query that writes.
    pub(crate) async fn write(
        &self,
        operation: &'static str,
        query: Call<'_>,
    ) -> Result<Vec<PgRow>, PortError> {
        let result = self.try_write(operation, query).await?;
        result.map_err(|error| port_error(operation, Effect::Unknown, &error))
    }

    /// Runs a query that writes, for a caller who knows what to do about some errors of the server.
    pub(crate) async fn try_write(
        &self,
        operation: &'static str,
        query: Call<'_>,
    ) -> Result<Result<Vec<PgRow>, sqlx::Error>, PortError> {
        self.once(operation, query).await.map(|(result, _)| result)
    }

    /// One query on one connection, and whether that was used before.
    async fn once(
        &self,
        operation: &'static str,
        query: Call<'_>,
    ) -> Result<(Result<Vec<PgRow>, sqlx::Error>, bool), PortError> {
        let mut held = self.inner.connections.take(operation).await?;
        let used = held.used;
        let answer = timeout(self.inner.settings.answer_timeout, query.fetch_all(&mut *held)).await;
        let Ok(result) = answer else { return Err(timed_out(operation, Effect::Unknown)) };
        match &result {
            Err(error) if verdict(error) == Verdict::Lost => self.inner.connections.forget(),
            _ => held.keep(),
        }
        Ok((result, used))
    }
}

/// As a setting of the server takes it.
fn milliseconds(span: Duration) -> String {
    // Zero would wait for ever.
    span.as_millis().clamp(1, i32::MAX as u128).to_string()
}

impl fmt::Debug for PgStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgStore")
            .field("settings", &self.inner.settings)
            .field("queue", &self.inner.queue)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for PgStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities { durable: true, shared: true }
    }

    async fn load(&self, load: Load) -> Result<Loaded, PortError> {
        let questions = load::Questions::new(&load);
        let rows = self.read("load", || questions.bind(sqlx::query(self.inner.load.clone()))).await?;
        let mut loaded =
            load::loaded(&load, &rows).map_err(|error| port_error("load", Effect::None, &error))?;
        for (query, stream) in load.streams.iter().zip(&mut loaded.streams) {
            self.complete(query.after, stream).await?;
        }
        Ok(loaded)
    }

    async fn commit(&self, commit: Commit) -> Result<Receipt, CommitError> {
        let appends = !commit.append.is_empty();
        let prepared = Prepared::new(commit, self.inner.locks)?;
        let outcome = match &self.inner.queue {
            Some(queue) => queue.submit(prepared).await,
            None => self.inner.applier.alone(&prepared).await,
        };
        if appends && self.inner.settings.wake_up && outcome.is_ok() {
            self.inner.bell.ring(self);
        }
        outcome
    }

    async fn read_all(&self, query: LogQuery) -> Result<Page, PortError> {
        self.read_log(query).await
    }

    async fn read_stream(
        &self,
        stream: &StreamId,
        after: Version,
        limit: u32,
    ) -> Result<Vec<Arc<RecordedEvent>>, PortError> {
        self.read_events(stream, after, limit).await
    }

    async fn due(&self, query: DueQuery) -> Result<Due, PortError> {
        timers::due(self, query).await
    }

    async fn scan(&self, table: Table, after: Option<&str>, limit: u32) -> Result<Vec<Row>, PortError> {
        scan::scan(self, table, after, limit).await
    }

    async fn opening(&self, table: Table, after: Option<&str>, limit: u32) -> Result<Opening, PortError> {
        opening::page(self, table, after, limit).await
    }
}
