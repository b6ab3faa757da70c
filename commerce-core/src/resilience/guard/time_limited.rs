//! Nobody waits for ever.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::{Call, Failure, Guard, Which};
use crate::kernel::error::{Effect, PortError, PortErrorKind};
use crate::port::platform::Platform;
use crate::resilience::Repeat;

/// Gives a call up that takes too long. What it came to is unknown then, unless it only reads.
#[derive(Debug, Clone)]
pub struct TimeLimited {
    limit: Duration,
    platform: Platform,
}

impl TimeLimited {
    /// Waits this long, by the clock and the sleeper of the platform.
    pub fn to(limit: Duration, platform: &Platform) -> Self {
        Self { limit, platform: platform.clone() }
    }
}

impl Guard for TimeLimited {
    async fn around<'c, T, E, F>(&'c self, which: Which, call: F) -> Result<T, E>
    where
        T: Send,
        E: Failure,
        F: Fn() -> Call<'c, T, E> + Send + Sync,
    {
        let Platform { clock, sleeper, .. } = &self.platform;
        let until = clock.now().plus(self.limit);
        let mut call = call();
        let mut sleep = pin!(sleeper.sleep_until(until));
        let done = poll_fn(|context| {
            if let Poll::Ready(done) = call.as_mut().poll(context) {
                return Poll::Ready(Some(done));
            }
            if sleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            if clock.now() >= until {
                return Poll::Ready(None);
            }
            // A sleeper may wake early.
            sleep.set(sleeper.sleep_until(until));
            context.waker().wake_by_ref();
            Poll::Pending
        });
        done.await.unwrap_or_else(|| {
            let effect = if which.repeat == Repeat::Read { Effect::None } else { Effect::Unknown };
            let kind = PortErrorKind::Timeout;
            Err(E::of(PortError::new(kind, effect, "time limit", which.operation)))
        })
    }
}
