//! Wake-ups: who follows the log hears of a commit at once instead of at the next look.
//!
//! A `NOTIFY` inside of every commit would put all commits of the server in a row (measured: 0.45 of the
//! rate); so it is a statement of its own behind them. While one is on its way, and for a moment behind it,
//! further commits need none: at most one for a batch, and no commit waits for it.

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::kernel::error::{Effect, PortError};
use commerce_core::port::clock::Sleeper;
use commerce_core::value::time::Timestamp;
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::PgStore;
use crate::error::port_error;

/// One channel for all schemas of a database; the payload tells whose it is.
const CHANNEL: &str = "commerce_events";
/// The least time between two notifications of one process.
const GAP: Duration = Duration::from_millis(5);
/// How long a listener that lost its server waits before it tries again.
const RECONNECT: Duration = Duration::from_secs(1);

const QUIET: u8 = 0;
const RINGING: u8 = 1;
const AGAIN: u8 = 2;

/// Tells listeners that something was appended.
#[derive(Debug, Default)]
pub(crate) struct Bell(AtomicU8);

impl Bell {
    /// Asks for it to be rung; whether the caller has to see to it, because nobody does.
    fn ask(&self) -> bool {
        self.0.swap(AGAIN, Ordering::AcqRel) == QUIET
    }

    /// It is about to be rung, for everything that was asked until now.
    fn begin(&self) {
        self.0.store(RINGING, Ordering::Release);
    }

    /// Whether nobody has asked since; then nobody sees to it any more.
    fn ends(&self) -> bool {
        self.0.compare_exchange(RINGING, QUIET, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Rings, or sees to it that it is rung once more behind what is on its way.
    pub(crate) fn ring(&self, store: &PgStore) {
        if self.ask() {
            drop(tokio::spawn(ringing(store.clone())));
        }
    }
}

async fn ringing(store: PgStore) {
    let (schema, bell) = (&store.inner.settings.schema, &store.inner.bell);
    loop {
        bell.begin();
        // A bell that is not heard costs the wait until the next look, and nothing else.
        let call = sqlx::query("select pg_notify($1, $2)").bind(CHANNEL).bind(schema.as_str());
        drop(store.write("notify", call).await);
        tokio::time::sleep(GAP).await;
        if bell.ends() {
            return;
        }
    }
}

impl PgStore {
    /// A sleeper for those who follow the log: wakes at its time, as `sleeper` does, or when another process,
    /// or this one, has appended something.
    ///
    /// Hand it to the [`Platform`](commerce_core::port::platform::Platform) of a shop whose runners are to
    /// wake early: consumers, relays, projectors and timers look again, and sleep on where there is nothing
    /// for them. Every process that writes has to be set to [`wake_up`](crate::Settings::wake_up). What is
    /// written by [`commit_in`](PgStore::commit_in) rings no bell; the next look finds it.
    ///
    /// Opens one connection, which listens until the last clone is dropped and connects again where it is
    /// lost. A pooler in between must not work by transactions.
    ///
    /// # Errors
    ///
    /// Where the server cannot be reached.
    pub async fn waking(&self, sleeper: Arc<dyn Sleeper>) -> Result<PgWakeUps, PortError> {
        let failed = |error: &sqlx::Error| port_error("listen", Effect::None, error);
        let options = self.inner.connections.options().clone();
        let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(options);
        let mut listener = PgListener::connect_with(&pool).await.map_err(|error| failed(&error))?;
        listener.listen(CHANNEL).await.map_err(|error| failed(&error))?;
        let (rung, heard) = watch::channel(0_u64);
        let schema = self.inner.settings.schema.clone();
        let listening = tokio::spawn(async move {
            loop {
                match listener.recv().await {
                    Ok(note) if note.payload() == schema.as_str() => rung.send_modify(|count| *count += 1),
                    Ok(_) => {}
                    // Whatever was appended meanwhile is found by looking.
                    Err(_) => tokio::time::sleep(RECONNECT).await,
                }
            }
        });
        let shared = Shared { sleeper, heard, seen: Mutex::new(0), listening: listening.abort_handle() };
        Ok(PgWakeUps(Arc::new(shared)))
    }
}

/// A [`Sleeper`] that wakes early where something was appended; see [`PgStore::waking`].
#[derive(Clone)]
pub struct PgWakeUps(Arc<Shared>);

struct Shared {
    sleeper: Arc<dyn Sleeper>,
    heard: watch::Receiver<u64>,
    /// Up to which notification somebody has looked.
    seen: Mutex<u64>,
    listening: AbortHandle,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl fmt::Debug for PgWakeUps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgWakeUps").field("heard", &*self.0.heard.borrow()).finish_non_exhaustive()
    }
}

impl PgWakeUps {
    /// Notifications that were heard.
    pub fn heard(&self) -> u64 {
        *self.0.heard.borrow()
    }
}

#[async_trait]
impl Sleeper for PgWakeUps {
    async fn sleep_until(&self, time: Timestamp) {
        let shared = &self.0;
        let seen = *shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut heard = shared.heard.clone();
        {
            // What rang while the caller was at work is heard now, or its event would wait for the next look.
            let mut rung = pin!(heard.wait_for(|count| *count != seen));
            let mut slept = pin!(shared.sleeper.sleep_until(time));
            let mut deaf = false;
            poll_fn(|context| {
                if !deaf {
                    match rung.as_mut().poll(context) {
                        Poll::Ready(Ok(_)) => return Poll::Ready(()),
                        Poll::Ready(Err(_)) => deaf = true,
                        Poll::Pending => {}
                    }
                }
                slept.as_mut().poll(context)
            })
            .await;
        }
        // Everything that rang until now is behind what the caller is about to look at.
        *shared.seen.lock().unwrap_or_else(PoisonError::into_inner) = *shared.heard.borrow();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However asking and ending fall together, somebody rings behind the last one who asked.
    #[test]
    fn whoever_asks_is_rung_for() {
        let bell = Bell::default();
        assert!(bell.ask() && !bell.ask());
        bell.begin();
        assert!(bell.ends());
        assert!(bell.ask(), "behind the end somebody has to begin anew");
        bell.begin();
        assert!(!bell.ask() && !bell.ends(), "asked while it rang: once more");
        bell.begin();
        assert!(bell.ends() && bell.ask());
    }
}
