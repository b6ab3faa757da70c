//! The machine's clock, a thread to sleep on, and the operating system's randomness.

use std::sync::Arc;

use commerce_core::port::platform::Platform;

use crate::{OsIds, SystemClock, ThreadSleeper};

/// What a shop needs besides its store, for hosts without a runtime.
pub fn platform() -> Platform {
    let clock = Arc::new(SystemClock);
    Platform {
        clock: clock.clone(),
        sleeper: Arc::new(ThreadSleeper::new(clock)),
        ids: Arc::new(OsIds::new()),
    }
}
