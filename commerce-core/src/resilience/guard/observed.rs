//! Calls are told to somebody who watches.

use std::sync::Arc;

use super::{Call, Failure, Guard, Which};
use crate::port::clock::Clock;
use crate::port::observer::{CallOutcome, Observer, Signal};
use crate::port::platform::Platform;
use crate::value::time::Timestamp;

/// Signals every call of a port, what came of it, and how long it took.
///
/// Put outside of all other guards it sees what the shop sees; inside of
/// [`Retrying`](super::Retrying) it sees every attempt. A call whose caller goes away is seen too.
#[derive(Debug, Clone)]
pub struct Observed {
    port: &'static str,
    observer: Arc<dyn Observer>,
    clock: Arc<dyn Clock>,
}

impl Observed {
    /// Calls are signalled as those of `port`, a name from the program such as that of a gateway.
    pub fn by(port: &'static str, observer: Arc<dyn Observer>, platform: &Platform) -> Self {
        Self { port, observer, clock: platform.clock.clone() }
    }
}

/// A call under way; abandoned where it ends without an outcome.
struct UnderWay<'o> {
    observed: &'o Observed,
    operation: &'static str,
    since: Timestamp,
    outcome: CallOutcome,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let Observed { port, observer, clock } = self.observed;
        let (operation, outcome) = (self.operation, self.outcome);
        let duration = clock.now().since(self.since);
        observer.observe(&Signal::PortCall { port, operation, outcome, duration });
    }
}

impl Guard for Observed {
    async fn around<'c, T, E, F>(&'c self, which: Which, call: F) -> Result<T, E>
    where
        T: Send,
        E: Failure,
        F: Fn() -> Call<'c, T, E> + Send + Sync,
    {
        let since = self.clock.now();
        let outcome = CallOutcome::Abandoned;
        let mut under_way = UnderWay { observed: self, operation: which.operation, since, outcome };
        let done = call().await;
        under_way.outcome = match done.as_ref().err() {
            None => CallOutcome::Answered,
            Some(failed) => failed
                .port()
                .map_or(CallOutcome::Declined, |error| CallOutcome::Failed(error.kind, error.effect)),
        };
        done
    }
}
