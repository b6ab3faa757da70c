//! Write-behind: for what may be lost.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::app::running::Stop;
use crate::kernel::error::{Effect, PortError, PortErrorKind};
use crate::port::cache::CacheKey;
use crate::port::platform::Platform;

/// The most values that wait to be written.
const MOST: usize = 10_000;
/// The most values that are written at once.
const BATCH: usize = 100;

/// Says of a type that its latest values may be lost when the process dies: views that were counted, what was
/// looked at last. Orders, payments and stock are not losable, and nobody outside of this library can say
/// that they are.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not said to be losable",
    note = "write-behind loses what was not written when the process dies; write it through instead"
)]
pub trait Losable: Send + Sync + 'static {}

/// Where values are written in the end.
#[async_trait]
pub trait Sink<T: Losable>: Debug + Send + Sync + 'static {
    /// Writes values, each the latest of its key.
    ///
    /// # Contract
    ///
    /// Replaces what is there. Repeating it is harmless: a batch that failed comes again, with newer values
    /// where there are some.
    async fn write(&self, batch: Vec<(CacheKey, Arc<T>)>) -> Result<(), PortError>;
}

/// Values that are written later, the latest of each key only.
pub struct WriteBehind<T: Losable> {
    sink: Arc<dyn Sink<T>>,
    waiting: Mutex<BTreeMap<CacheKey, Arc<T>>>,
    flushing: AtomicBool,
}

/// Ends a flush, also one that is dropped.
struct Flushing<'f>(&'f AtomicBool);

impl Drop for Flushing<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl<T: Losable> WriteBehind<T> {
    /// Nothing waits yet.
    pub fn new(sink: Arc<dyn Sink<T>>) -> Self {
        Self { sink, waiting: Mutex::default(), flushing: AtomicBool::new(false) }
    }

    /// Puts a value aside to be written; where too many wait, some are written first.
    ///
    /// # Errors
    ///
    /// Those of the sink, or `Throttled`, where there is no room and none can be made: the value is lost.
    pub async fn write(&self, key: CacheKey, value: T) -> Result<(), PortError> {
        let value = Arc::new(value);
        if self.put(&key, &value) {
            return Ok(());
        }
        self.flush().await?;
        if self.put(&key, &value) {
            return Ok(());
        }
        Err(PortError::new(PortErrorKind::Throttled, Effect::None, "write behind", "write"))
    }

    fn put(&self, key: &CacheKey, value: &Arc<T>) -> bool {
        let mut waiting = self.lock();
        let room = waiting.len() < MOST || waiting.contains_key(key);
        if room {
            waiting.insert(key.clone(), value.clone());
        }
        room
    }

    /// The value of a key that waits to be written.
    pub fn waiting(&self, key: &CacheKey) -> Option<Arc<T>> {
        self.lock().get(key).cloned()
    }

    /// Writes what waits, up to a hundred at once; how many. One flush at a time: another does nothing
    /// meanwhile, so that no older value is written behind a newer one.
    ///
    /// # Errors
    ///
    /// Those of the sink; the values wait on.
    pub async fn flush(&self) -> Result<usize, PortError> {
        if self.flushing.swap(true, Ordering::Acquire) {
            return Ok(0);
        }
        let _flushing = Flushing(&self.flushing);
        let batch: Vec<(CacheKey, Arc<T>)> = {
            let waiting = self.lock();
            waiting.iter().take(BATCH).map(|(key, value)| (key.clone(), value.clone())).collect()
        };
        if batch.is_empty() {
            return Ok(0);
        }
        self.sink.write(batch.clone()).await?;
        let mut waiting = self.lock();
        for (key, written) in &batch {
            if waiting.get(key).is_some_and(|value| Arc::ptr_eq(value, written)) {
                waiting.remove(key);
            }
        }
        Ok(batch.len())
    }

    /// Flushes again and again, with a pause where nothing waits or the sink fails, until told to stop; then
    /// once more all that waits.
    pub async fn run(&self, platform: &Platform, pause: Duration, stop: impl Future<Output = ()> + Send) {
        let mut stop = pin!(stop);
        let mut stop = Stop::new(stop.as_mut());
        loop {
            while matches!(self.flush().await, Ok(BATCH)) {}
            let until = platform.clock.now().plus(pause);
            if stop.or_sleep(&*platform.sleeper, until).await {
                while matches!(self.flush().await, Ok(1..)) {}
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<CacheKey, Arc<T>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Losable> Debug for WriteBehind<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteBehind").field("waiting", &self.lock().len()).finish_non_exhaustive()
    }
}
