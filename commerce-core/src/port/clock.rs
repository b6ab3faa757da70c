//! Time and waiting.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::value::time::Timestamp;

/// Tells the time.
pub trait Clock: Debug + Send + Sync + 'static {
    /// The present time.
    ///
    /// # Contract
    ///
    /// Truncated to the microsecond. May jump when the machine's clock is set; nothing in the library
    /// rests on its never going back.
    fn now(&self) -> Timestamp;
}

/// Waits.
#[async_trait]
pub trait Sleeper: Debug + Send + Sync + 'static {
    /// Waits until this time by the same clock that the library reads.
    ///
    /// # Contract
    ///
    /// Returns at once for a time in the past. May return early; callers look at the clock again.
    /// Dropping the future ends the wait.
    async fn sleep_until(&self, time: Timestamp);
}
