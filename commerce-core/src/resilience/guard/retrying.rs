//! Calls that failed are made again.

use super::{Call, Failure, Guard, Which};
use crate::kernel::error::Effect;
use crate::port::platform::Platform;
use crate::resilience::{Backoff, Repeat, may_repeat};

/// Makes a call again that failed and may be repeated, after the pauses of a [`Backoff`].
///
/// Whether it may is decided by [`may_repeat`]: a call whose effect is unknown only where it reads or bears a
/// key under which the other side knows a repeat. The error that is given in the end says that the effect is
/// unknown where that of any of the calls is.
#[derive(Debug, Clone)]
pub struct Retrying {
    backoff: Backoff,
    platform: Platform,
}

impl Retrying {
    /// By this policy; waits by the sleeper of the platform, with jitter from its identifiers.
    pub fn by(backoff: Backoff, platform: &Platform) -> Self {
        Self { backoff, platform: platform.clone() }
    }
}

impl Guard for Retrying {
    async fn around<'c, T, E, F>(&'c self, which: Which, call: F) -> Result<T, E>
    where
        T: Send,
        E: Failure,
        F: Fn() -> Call<'c, T, E> + Send + Sync,
    {
        let Platform { clock, sleeper, ids } = &self.platform;
        let (mut retry, mut unknown) = (0_u32, false);
        loop {
            let mut failed = match call().await {
                Ok(done) => return Ok(done),
                Err(failed) => failed,
            };
            if let Some(error) = failed.port_mut() {
                unknown |= error.effect == Effect::Unknown;
                // Once one call may have had its effect, the whole may have.
                if unknown && which.repeat != Repeat::Read {
                    error.effect = Effect::Unknown;
                }
            }
            retry = retry.saturating_add(1);
            let passes = failed.is_whole() && failed.port().is_some_and(|e| may_repeat(e, which.repeat));
            // The last bytes of an id are random.
            let (_, seed) = ids.next(clock.now()).as_u64_pair();
            let Some(pause) = self.backoff.pause(retry, seed).filter(|_| passes) else { return Err(failed) };
            sleeper.sleep_until(clock.now().plus(pause)).await;
        }
    }
}
