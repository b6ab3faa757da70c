//! A circuit breaker as a pure machine.

use std::time::Duration;

use crate::value::time::Timestamp;

/// When a circuit opens and closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// Failures in a row that open it; zero counts as one.
    pub failures: u32,
    /// How long it stays open before it lets probes through.
    pub open_for: Duration,
    /// Probes under way at once while it is half open; zero counts as one.
    pub probes: u32,
}

impl Default for BreakerPolicy {
    /// Opens behind five failures in a row, as in the source documents; probes after thirty seconds.
    fn default() -> Self {
        Self { failures: 5, open_for: Duration::from_secs(30), probes: 1 }
    }
}

/// Where a circuit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls go through; so many failed in a row.
    Closed {
        /// Failures in a row.
        failed: u32,
    },
    /// Calls are rejected until this time.
    Open {
        /// When probes are let through.
        until: Timestamp,
    },
    /// Some probes are let through; their outcome decides.
    HalfOpen {
        /// Probes under way.
        probing: u32,
    },
}

/// A circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breaker {
    policy: BreakerPolicy,
    state: BreakerState,
}

impl Breaker {
    /// A closed circuit.
    pub const fn new(policy: BreakerPolicy) -> Self {
        Self { policy, state: BreakerState::Closed { failed: 0 } }
    }

    /// Where it stands.
    pub const fn state(&self) -> BreakerState {
        self.state
    }

    /// Whether a call may be made now. Each `true` is to be followed by [`record`](Self::record).
    pub fn admit(&mut self, now: Timestamp) -> bool {
        if let BreakerState::Open { until } = self.state {
            if now < until {
                return false;
            }
            self.state = BreakerState::HalfOpen { probing: 0 };
        }
        match &mut self.state {
            BreakerState::HalfOpen { probing } if *probing < self.policy.probes.max(1) => {
                *probing = probing.saturating_add(1);
                true
            }
            BreakerState::HalfOpen { .. } => false,
            _ => true,
        }
    }

    /// An admitted call that is given up before its outcome is known: it says nothing, and its place among
    /// the probes is free again.
    pub const fn forget(&mut self) {
        if let BreakerState::HalfOpen { probing } = &mut self.state {
            *probing = probing.saturating_sub(1);
        }
    }

    /// What came of an admitted call. What arrives while it is open is of a call from before and says
    /// nothing new.
    pub fn record(&mut self, success: bool, now: Timestamp) {
        let opened = BreakerState::Open { until: now.plus(self.policy.open_for) };
        self.state = match (self.state, success) {
            (BreakerState::Open { .. }, _) => return,
            (_, true) => BreakerState::Closed { failed: 0 },
            (BreakerState::HalfOpen { .. }, false) => opened,
            (BreakerState::Closed { failed }, false) => {
                let failed = failed.saturating_add(1);
                if failed >= self.policy.failures.max(1) { opened } else { BreakerState::Closed { failed } }
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn patterns_7_circuit(
            failures in 1_u32..8,
            probes in 1_u32..4,
            steps in prop::collection::vec((any::<bool>(), 0_u64..40), 1..200),
        ) {
            let policy = BreakerPolicy { failures, open_for: Duration::from_secs(30), probes };
            let mut breaker = Breaker::new(policy);
            let mut now = Timestamp::UNIX_EPOCH;
            let mut row = 0;
            for (success, wait) in steps {
                now = now.plus(Duration::from_secs(wait));
                let before = breaker.state();
                let admitted = breaker.admit(now);
                match before {
                    BreakerState::Closed { .. } => prop_assert!(admitted),
                    BreakerState::Open { until } => prop_assert_eq!(admitted, now >= until),
                    BreakerState::HalfOpen { probing } => prop_assert_eq!(admitted, probing < probes),
                }
                if !admitted {
                    continue;
                }
                let probe = !matches!(before, BreakerState::Closed { .. });
                breaker.record(success, now);
                row = if success { 0 } else { row + 1 };
                let open = matches!(breaker.state(), BreakerState::Open { .. });
                // Exactly behind the nth failure in a row, or behind a failed probe.
                prop_assert_eq!(open, !success && (probe || row >= failures));
                if success {
                    prop_assert_eq!(breaker.state(), BreakerState::Closed { failed: 0 });
                }
                if open {
                    row = 0;
                }
            }
        }

        #[test]
        fn patterns_7_at_most_so_many_probes(probes in 1_u32..5, asked in 1_u32..20) {
            let policy = BreakerPolicy { failures: 1, open_for: Duration::from_secs(30), probes };
            let mut breaker = Breaker::new(policy);
            breaker.record(false, Timestamp::UNIX_EPOCH);
            let later = Timestamp::UNIX_EPOCH.plus(Duration::from_secs(30));
            let admitted = (0..asked).filter(|_| breaker.admit(later)).count();
            prop_assert_eq!(admitted, asked.min(probes) as usize);
        }
    }
}
