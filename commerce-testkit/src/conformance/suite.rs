//! Runs the checks of a port: the same for every port but the store, whose fixture selects among its checks.
#![allow(clippy::future_not_send)] // a factory need not be Send, and a test runs on one thread

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use super::outcome::{Failure, Outcome};
use super::report::Verdict;

/// What the checks of a port stand on.
pub trait PortFixture {
    /// Why the check of this name is skipped with this fixture, if it is.
    fn unmet(&self, _check: &str) -> Option<&'static str> {
        None
    }
}

/// What runs a check on a fixture.
pub(crate) type RunPort<F> = for<'f> fn(&'f F) -> Pin<Box<dyn Future<Output = Outcome> + Send + 'f>>;

/// One clause of a port's contract as a check on a fixture of this type.
pub struct PortCheck<F> {
    /// Its name, which is the name of the test.
    pub name: &'static str,
    /// What the contract says.
    pub clause: &'static str,
    pub(crate) run: RunPort<F>,
}

impl<F> Clone for PortCheck<F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for PortCheck<F> {}

impl<F> fmt::Debug for PortCheck<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortCheck").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What came of a suite.
#[derive(Debug, Clone)]
#[must_use = "assert it, or read it"]
pub struct PortReport<F> {
    /// Every check with its verdict, in the order of the suite.
    pub verdicts: Vec<(PortCheck<F>, Verdict)>,
}

impl<F> PortReport<F> {
    /// The checks that were skipped, with the reason.
    pub fn skipped(&self) -> Vec<(&'static str, &'static str)> {
        let skipped = |(check, verdict): &(PortCheck<F>, Verdict)| match verdict {
            Verdict::Skipped(reason) => Some((check.name, *reason)),
            _ => None,
        };
        self.verdicts.iter().filter_map(skipped).collect()
    }

    /// Fails the test that runs the suite.
    ///
    /// # Panics
    ///
    /// Where a check failed; the text names each with its clause.
    pub fn assert(&self) {
        let failed: Vec<String> = self
            .verdicts
            .iter()
            .filter_map(|(check, verdict)| match verdict {
                Verdict::Failed(failure) => {
                    Some(format!("FAILED {}\n  clause: {}\n  {failure}", check.name, check.clause))
                }
                _ => None,
            })
            .collect();
        assert!(failed.is_empty(), "{}", failed.join("\n"));
    }
}

/// Runs one check on a fresh fixture.
pub async fn run_port<F, M, T>(check: &PortCheck<F>, factory: &M) -> Verdict
where
    F: PortFixture,
    M: Fn() -> T,
    T: Future<Output: Into<F>>,
{
    let fixture: F = factory().await.into();
    if let Some(reason) = fixture.unmet(check.name) {
        return Verdict::Skipped(reason);
    }
    match (check.run)(&fixture).await {
        Ok(()) => Verdict::Passed,
        Err(failure) => Verdict::Failed(failure),
    }
}

/// Runs one of these checks by its name and fails the test with it; what the macros expand to.
///
/// # Panics
///
/// Where the check fails, or there is none of this name.
pub async fn run_port_named<F, M, T>(checks: Vec<PortCheck<F>>, name: &str, factory: M)
where
    F: PortFixture,
    M: Fn() -> T,
    T: Future<Output: Into<F>>,
{
    let check = checks.into_iter().find(|check| check.name == name);
    let verdict = match &check {
        Some(check) => run_port(check, &factory).await,
        None => Verdict::Failed(Failure::new(format!("there is no check {name}"))),
    };
    let clause = check.map_or("", |check| check.clause);
    assert!(!matches!(verdict, Verdict::Failed(_)), "{clause}\n{verdict:?}");
    if let Verdict::Skipped(reason) = verdict {
        println!("skipped {name}: {reason}");
    }
}

/// Runs these checks; every one gets a fresh fixture.
pub async fn port<F, M, T>(checks: Vec<PortCheck<F>>, factory: M) -> PortReport<F>
where
    F: PortFixture,
    M: Fn() -> T,
    T: Future<Output: Into<F>>,
{
    let mut verdicts = Vec::with_capacity(checks.len());
    for check in checks {
        let verdict = run_port(&check, &factory).await;
        verdicts.push((check, verdict));
    }
    PortReport { verdicts }
}

/// Writes a test per check of a port.
#[doc(hidden)]
#[macro_export]
macro_rules! __port_tests {
    ([$checks:path, $factory:expr, $block_on:expr] $({ $group:ident $name:ident $clause:literal })*) => { $(
        #[doc = $clause]
        #[test]
        fn $name() {
            ($block_on)($crate::conformance::run_port_named($checks(), stringify!($name), $factory));
        }
    )* };
}

macro_rules! port_checks {
    ([] $({ $group:ident $name:ident $clause:literal })*) => {
        vec![$($crate::conformance::PortCheck {
            name: stringify!($name),
            clause: $clause,
            run: |fixture| Box::pin($group::$name(fixture)),
        }),*]
    };
}
pub(crate) use port_checks;
