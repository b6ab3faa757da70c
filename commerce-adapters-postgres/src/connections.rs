//! Connections of our own: used again without a ping before and behind every statement.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use commerce_core::kernel::error::{Effect, PortError};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use crate::error::{port_error, timeout as timed_out};

/// A connection that nobody used for this long is tried before it is used.
const TRY_AFTER: Duration = Duration::from_secs(5);

/// Connections to one server, at most so many at once.
#[derive(Debug)]
pub(crate) struct Connections {
    options: PgConnectOptions,
    idle: Mutex<Vec<Idle>>,
    permits: Arc<Semaphore>,
    patience: Duration,
}

#[derive(Debug)]
struct Idle {
    connection: PgConnection,
    since: Instant,
}

impl Connections {
    pub(crate) fn new(options: PgConnectOptions, most: usize, patience: Duration) -> Self {
        let permits = Arc::new(Semaphore::new(most.max(1)));
        Self { options, idle: Mutex::default(), permits, patience }
    }

    /// How to connect to the server.
    pub(crate) const fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes what is idle, because the server went away.
    pub(crate) fn forget(&self) {
        let closed = std::mem::take(&mut *self.idle());
        drop(closed);
    }

    /// A connection: the one that was used last, or a new one.
    pub(crate) async fn take(self: &Arc<Self>, operation: &'static str) -> Result<Held, PortError> {
        let waiting = timeout(self.patience, self.permits.clone().acquire_owned()).await;
        let Ok(Ok(permit)) = waiting else { return Err(timed_out(operation, Effect::None)) };
        loop {
            let Some(Idle { mut connection, since }) = self.idle().pop() else { break };
            let fresh = since.elapsed() < TRY_AFTER;
            if fresh || matches!(timeout(self.patience, connection.ping()).await, Ok(Ok(()))) {
                return Ok(self.held(connection, permit, true));
            }
        }
        match timeout(self.patience, self.options.connect()).await {
            Ok(Ok(connection)) => Ok(self.held(connection, permit, false)),
            Ok(Err(error)) => Err(port_error(operation, Effect::None, &error)),
            Err(_) => Err(timed_out(operation, Effect::None)),
        }
    }

    fn held(self: &Arc<Self>, connection: PgConnection, permit: OwnedSemaphorePermit, used: bool) -> Held {
        Held { connection, used, home: self.clone(), permit }
    }
}

/// A connection in use. Dropped it is closed, so that one whose call was cut short is never used again.
#[derive(Debug)]
pub(crate) struct Held {
    connection: PgConnection,
    /// Whether it was used before; the server may have closed it since.
    pub(crate) used: bool,
    home: Arc<Connections>,
    permit: OwnedSemaphorePermit,
}

impl Held {
    /// Gives it back after a call that came to its end.
    pub(crate) fn keep(self) {
        let Self { connection, home, permit, .. } = self;
        home.idle().push(Idle { connection, since: Instant::now() });
        drop(permit);
    }
}

impl Deref for Held {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Held {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}
