//! A clock that lags or stands still, and a sleeper that wakes too early or too late.

use std::time::Duration;

use async_trait::async_trait;
use commerce_core::port::clock::{Clock, Sleeper};
use commerce_core::value::time::Timestamp;

use super::{Fault, Faulty, Port};

/// The most by which a clock lags.
const LAG: Duration = Duration::from_secs(3);

impl Clock for Faulty<dyn Clock> {
    fn now(&self) -> Timestamp {
        let now = self.port.now();
        let fault = self.faults.next(Port::Clock, "now", false);
        let mut shared = self.faults.lock();
        let lag = shared.plan.choose(LAG.as_micros().try_into().unwrap_or(u64::MAX)).max(1000);
        let shown = match (fault, shared.last_reading) {
            (Some(Fault::Delay), _) => minus(now, lag),
            (Some(Fault::Duplicate), Some(last)) => last,
            _ => now,
        };
        shared.last_reading = Some(shown);
        drop(shared);
        if let Some(fault) = fault {
            self.faults.injected(Port::Clock, fault);
        }
        shown
    }
}

fn minus(time: Timestamp, micros: u64) -> Timestamp {
    let micros = i64::try_from(micros).unwrap_or(i64::MAX);
    Timestamp::from_micros(time.as_micros().saturating_sub(micros)).unwrap_or(time)
}

#[async_trait]
impl Sleeper for Faulty<dyn Sleeper> {
    async fn sleep_until(&self, time: Timestamp) {
        let fault = self.faults.draw(Port::Sleeper, "sleep_until").await;
        match fault {
            Some(Fault::FailBefore) => {}
            Some(Fault::Delay) => {
                let late = self.faults.span();
                self.port.sleep_until(time.plus(late)).await;
            }
            Some(Fault::DieBefore) => self.faults.never().await,
            _ => self.port.sleep_until(time).await,
        }
        self.faults.pass(Port::Sleeper);
    }
}
