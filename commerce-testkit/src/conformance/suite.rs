//! Runs the checks of a port: the same for every port but the store, whose fixture selects among its checks.
#![allow(clippy::future_not_send)] // a factory need not be Send, and a test runs on one thread

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use super::outcome::{Failure, Outcome};

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

/// What came of a suite: every check, with what it found wrong.
#[derive(Debug, Clone)]
#[must_use = "assert it, or read it"]
pub struct PortReport<F> {
    /// In the order of the suite.
    pub outcomes: Vec<(PortCheck<F>, Outcome)>,
}

impl<F> PortReport<F> {
    /// Fails the test that runs the suite.
    ///
    /// # Panics
    ///
    /// Where a check failed; the text names each with its clause.
    pub fn assert(&self) {
        let failed: Vec<String> = self
            .outcomes
            .iter()
            .filter_map(|(check, outcome)| {
                let failure = outcome.as_ref().err()?;
                Some(format!("FAILED {}\n  clause: {}\n  {failure}", check.name, check.clause))
            })
            .collect();
        assert!(failed.is_empty(), "{}", failed.join("\n"));
    }
}

/// Runs one check on a fresh fixture.
///
/// # Errors
///
/// What the check found wrong.
pub async fn run_port<F, M, T>(check: &PortCheck<F>, factory: &M) -> Outcome
where
    M: Fn() -> T,
    T: Future<Output: Into<F>>,
{
    let fixture: F = factory().await.into();
    (check.run)(&fixture).await
}

/// Runs one of these checks by its name and fails the test with it; what the macros expand to.
///
/// # Panics
///
/// Where the check fails, or there is none of this name.
pub async fn run_port_named<F, M, T>(checks: Vec<PortCheck<F>>, name: &str, factory: M)
where
    M: Fn() -> T,
    T: Future<Output: Into<F>>,
{
    let check = checks.into_iter().find(|check| check.name == name);
    let outcome = match &check {
        Some(check) => run_port(check, &factory).await,
        None => Err(Failure::new(format!("there is no check {name}"))),
    };
    let clause = check.map_or("", |check| check.clause);
    assert!(outcome.is_ok(), "{clause}\n{outcome:?}");
}

/// Runs these checks; every one gets a fresh fixture.
pub async fn port<F, M, T>(checks: Vec<PortCheck<F>>, factory: M) -> PortReport<F>
where
    M: Fn() -> T,
    T: Future<Output: Into<F>>,
{
    let mut outcomes = Vec::new();
    for check in checks {
        let outcome = run_port(&check, &factory).await;
        outcomes.push((check, outcome));
    }
    PortReport { outcomes }
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
