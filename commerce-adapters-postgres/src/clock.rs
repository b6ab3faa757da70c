//! A clock that follows the server's.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use commerce_core::kernel::error::{Effect, PortError};
use commerce_core::port::clock::Clock;
use commerce_core::value::time::Timestamp;
use sqlx::Row;

use crate::PgStore;
use crate::error::{corrupt, port_error};
use crate::types::Moment;

/// By which clock a store judges timers and leases.
#[derive(Debug, Clone, Default)]
pub(crate) enum Time {
    /// The server's.
    #[default]
    Server,
    /// One of the host's.
    Host(Arc<dyn Clock>),
}

impl Time {
    /// The time to send along, where it is not the server's.
    pub(crate) fn moment(&self) -> Option<Moment> {
        match self {
            Self::Server => None,
            Self::Host(clock) => Some(Moment(clock.now())),
        }
    }
}

/// Tells the server's time, as far as it was measured, and never goes back.
///
/// Clones share the measurement. Call [`PgClock::measure`] now and then.
#[derive(Debug, Clone)]
pub struct PgClock {
    store: PgStore,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// What is added to the machine's time, in microseconds.
    offset: AtomicI64,
    /// The latest time that was told.
    told: AtomicI64,
}

impl PgStore {
    /// A clock that follows the server's, measured now.
    ///
    /// # Errors
    ///
    /// Where the server does not answer.
    pub async fn clock(&self) -> Result<PgClock, PortError> {
        let shared = Shared { told: AtomicI64::new(i64::MIN), ..Shared::default() };
        let clock = PgClock { store: self.clone(), shared: Arc::new(shared) };
        clock.measure().await?;
        Ok(clock)
    }
}

impl PgClock {
    /// Measures how far the server's clock is from the machine's.
    ///
    /// # Errors
    ///
    /// Where the server does not answer; the last measurement stays.
    pub async fn measure(&self) -> Result<(), PortError> {
        let before = machine();
        let rows = self.store.read("clock", || sqlx::query("select clock_timestamp()")).await?;
        let after = machine();
        let row = rows.first().ok_or_else(|| corrupt("clock"))?;
        let server: Moment = row.try_get(0).map_err(|error| port_error("clock", Effect::None, &error))?;
        // The server looked at its clock at some moment between; the middle is wrong by half of that.
        let middle = before.midpoint(after);
        self.shared.offset.store(server.0.as_micros().saturating_sub(middle), Ordering::Relaxed);
        Ok(())
    }
}

impl Clock for PgClock {
    fn now(&self) -> Timestamp {
        let now = machine().saturating_add(self.shared.offset.load(Ordering::Relaxed));
        let before = self.shared.told.fetch_max(now, Ordering::Relaxed);
        Timestamp::from_micros(now.max(before)).unwrap_or(Timestamp::MAX)
    }
}

/// The machine's time in microseconds.
#[allow(clippy::disallowed_methods)] // this clock is measured against the machine's
fn machine() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
        Err(_) => 0,
    }
}
