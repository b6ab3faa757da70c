//! Kill points: a process dies at every call of a port, and another one goes on where it stopped.
//!
//! [`Scenario`]s are the ways of a checkout, its compensations, cancelling, sending and giving money back.
//! Nobody lists their calls: a first run counts them, then one run per call and [`Moment`] dies there. The
//! process that takes over has nothing but the store and the gateway. Then either timers alone go on, or
//! the buyer's browser asks again ([`Recovery`]). Once nothing is due any more, every rule of the
//! [checker](crate::check) holds, the gateway was asked for nothing while a checkout was undone, and the
//! order stands as the scenario allows.
//!
//! A [`KillPoints`] runs on any store that it can make from a clock. It lets a process die by letting it go;
//! [`process`] kills real ones.

mod bank;
mod life;
pub mod process;
mod report;
mod scenario;

use std::future::Future;
use std::sync::Arc;

use commerce_core::port::store::Store;

use crate::fake::Clock;
use crate::faulty::{Fault, Script};
use life::Life;

pub use report::{Failure, Report};
pub use scenario::Scenario;

/// Where a process dies, around the call with this number of those that it makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KillPoint {
    /// The call, from 1.
    pub call: u64,
    /// In front of it or behind its effect.
    pub moment: Moment,
}

/// When a process dies.
///
/// Dying behind an answer is dying in front of the next call; behind the last answer, in front of a call
/// that never comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The call is not made.
    Before,
    /// The call had its effect; a commit stands. The answer does not arrive.
    AfterEffect,
}

/// Who goes on behind a death.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// Only timers; the browser asks again once nothing is due any more.
    Timers,
    /// The browser asks again at once.
    Browser,
}

impl KillPoint {
    fn script(self) -> Script {
        let fault = match self.moment {
            Moment::Before => Fault::DieBefore,
            Moment::AfterEffect => Fault::DieAfter,
        };
        Script::default().call(self.call, fault)
    }

    /// Every point of a run with this many calls.
    fn all(calls: u64) -> impl Iterator<Item = Self> {
        let around = |call| [Moment::Before, Moment::AfterEffect].map(|moment| Self { call, moment });
        // Behind the last answer.
        let last = Self { call: calls.saturating_add(1), moment: Moment::Before };
        (1..=calls).flat_map(around).chain([last])
    }
}

/// Kills a process at every point on stores that `make` makes.
#[derive(Debug)]
pub struct KillPoints<M> {
    make: M,
    every: u64,
}

impl<M, F> KillPoints<M>
where
    M: Fn(Clock) -> F + Send + Sync,
    F: Future<Output = Arc<dyn Store>> + Send,
{
    /// On stores made like this: fresh ones, which judge time by the clock.
    pub const fn on(make: M) -> Self {
        Self { make, every: 1 }
    }

    /// Of two deaths in a row, the first is at every point and the second at every `nth` one, beginning at
    /// another one each time, so that all are met in turn.
    #[must_use]
    pub fn second_at_every(mut self, nth: u64) -> Self {
        self.every = nth.max(1);
        self
    }

    /// One death at every point, under both recoveries.
    pub async fn once(&self, scenario: Scenario) -> Report {
        let mut report = Report::of(scenario);
        report.calls = self.life(scenario).await.undisturbed().await;
        for recovery in [Recovery::Timers, Recovery::Browser] {
            for first in KillPoint::all(report.calls) {
                let life = self.life(scenario).await;
                let outcome = Box::pin(life.run(&[first], recovery)).await;
                report.add(&[first], recovery, outcome);
            }
        }
        report
    }

    /// Two deaths in a row: the second one while the first is recovered from.
    pub async fn twice(&self, scenario: Scenario) -> Report {
        let mut report = Report::of(scenario);
        report.calls = self.life(scenario).await.undisturbed().await;
        let mut skip = 0;
        for recovery in [Recovery::Timers, Recovery::Browser] {
            for first in KillPoint::all(report.calls) {
                let again = self.life(scenario).await.calls_of_recovery(first, recovery).await;
                for second in KillPoint::all(again) {
                    skip = (skip + 1) % self.every;
                    if skip != 0 {
                        continue;
                    }
                    let life = self.life(scenario).await;
                    let outcome = Box::pin(life.run(&[first, second], recovery)).await;
                    report.add(&[first, second], recovery, outcome);
                }
            }
        }
        report
    }

    async fn life(&self, scenario: Scenario) -> Life {
        let clock = Clock::default();
        let store = (self.make)(clock.clone()).await;
        Life::begin(store, clock, scenario).await
    }
}
