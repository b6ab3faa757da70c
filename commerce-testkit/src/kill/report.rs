//! What came of all the deaths.

use std::fmt;
use std::time::Duration;

use super::scenario::Scenario;
use super::{KillPoint, Recovery};

/// A death behind which something was not right.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Where the process died, and where the next one did.
    pub points: Vec<KillPoint>,
    /// Who went on.
    pub recovery: Recovery,
    /// What was not right.
    pub what: Vec<String>,
}

/// What came of killing one scenario everywhere.
#[derive(Debug, Clone)]
pub struct Report {
    /// Which.
    pub scenario: Scenario,
    /// How many calls its undisturbed run makes.
    pub calls: u64,
    /// How many runs died as they should, each at points of its own.
    pub kills: u64,
    /// The longest time from the first restart until the checkout had ended or waited for its buyer.
    pub slowest: Duration,
    /// Where something was not right.
    pub failures: Vec<Failure>,
}

/// What came of one run.
#[derive(Debug, Clone, Default)]
pub(super) struct Outcome {
    /// How many processes died.
    pub(super) deaths: usize,
    pub(super) took: Duration,
    pub(super) faults: Vec<String>,
}

impl Report {
    pub(super) const fn of(scenario: Scenario) -> Self {
        Self { scenario, calls: 0, kills: 0, slowest: Duration::ZERO, failures: Vec::new() }
    }

    pub(super) fn add(&mut self, points: &[KillPoint], recovery: Recovery, outcome: Outcome) {
        self.kills = self.kills.saturating_add(1);
        self.slowest = self.slowest.max(outcome.took);
        let mut what = outcome.faults;
        if outcome.deaths != points.len() {
            what.push(format!("{} of {} processes died", outcome.deaths, points.len()));
        }
        if !what.is_empty() {
            self.failures.push(Failure { points: points.to_vec(), recovery, what });
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:26} {:3} calls, {:5} kills, {} failed, over after {} s at most",
            format!("{:?}", self.scenario),
            self.calls,
            self.kills,
            self.failures.len(),
            self.slowest.as_secs()
        )?;
        for failure in &self.failures {
            write!(f, "\n  {:?} under {:?}: {}", failure.points, failure.recovery, failure.what.join("; "))?;
        }
        Ok(())
    }
}
