//! Runs checks and says what came of them.
#![allow(clippy::future_not_send)] // a factory need not be Send, and a test runs on one thread

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use super::fixture::Fixture;
use super::list::{lease_checks, store_checks};
use super::outcome::{Failure, Outcome};

/// What a check needs of a fixture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Only a store.
    Store,
    /// A store and leases.
    Lease,
    /// A store that says it is durable and can be reopened.
    Durable,
    /// A store that says it is shared and can be opened twice.
    Shared,
}

impl Need {
    /// Why a check is skipped with this fixture, if it is.
    fn unmet(self, fixture: &Fixture) -> Option<&'static str> {
        let capabilities = fixture.capabilities();
        match self {
            Self::Lease if fixture.lease().is_none() => Some("the fixture has no leases"),
            Self::Durable if !capabilities.durable => Some("the store is not durable"),
            Self::Shared if !capabilities.shared => Some("the store is not shared"),
            Self::Durable | Self::Shared if !fixture.can_reopen() => {
                Some("the fixture cannot reopen the store")
            }
            _ => None,
        }
    }
}

/// What runs a check.
pub(crate) type Run = for<'f> fn(&'f Fixture) -> Pin<Box<dyn Future<Output = Outcome> + Send + 'f>>;

/// One clause of a contract as a check.
#[derive(Clone, Copy)]
pub struct Check {
    /// Its name, which is the name of the test.
    pub name: &'static str,
    /// What the contract says.
    pub clause: &'static str,
    /// What it needs of a fixture.
    pub need: Need,
    pub(crate) run: Run,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check")
            .field("name", &self.name)
            .field("clause", &self.clause)
            .finish_non_exhaustive()
    }
}

/// What came of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The contract holds.
    Passed,
    /// The check does not apply, and why.
    Skipped(&'static str),
    /// The contract is broken.
    Failed(Failure),
}

/// What came of a suite.
#[derive(Debug, Clone)]
#[must_use = "assert it, or read it"]
pub struct Report {
    /// Every check with its verdict, in the order of the suite.
    pub verdicts: Vec<(Check, Verdict)>,
}

impl Report {
    /// The names of the checks that failed.
    pub fn failed(&self) -> Vec<&'static str> {
        self.names(|verdict| matches!(verdict, Verdict::Failed(_)))
    }

    /// The names of the checks that were skipped.
    pub fn skipped(&self) -> Vec<&'static str> {
        self.names(|verdict| matches!(verdict, Verdict::Skipped(_)))
    }

    /// The names of the checks that passed.
    pub fn passed(&self) -> Vec<&'static str> {
        self.names(|verdict| matches!(verdict, Verdict::Passed))
    }

    /// Fails the test that runs the suite.
    ///
    /// # Panics
    ///
    /// Where a check failed; the text names each with its clause.
    pub fn assert(&self) {
        assert!(self.failed().is_empty(), "{self}");
    }

    fn names(&self, wanted: impl Fn(&Verdict) -> bool) -> Vec<&'static str> {
        self.verdicts.iter().filter(|(_, verdict)| wanted(verdict)).map(|(check, _)| check.name).collect()
    }
}

/// Counts, then every check that was skipped or failed.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (passed, skipped, failed) = (self.passed().len(), self.skipped().len(), self.failed().len());
        writeln!(f, "{passed} passed, {skipped} skipped, {failed} failed")?;
        for (check, verdict) in &self.verdicts {
            match verdict {
                Verdict::Passed => {}
                Verdict::Skipped(reason) => writeln!(f, "skipped {}: {reason}", check.name)?,
                Verdict::Failed(failure) => {
                    writeln!(f, "FAILED {}\n  clause: {}\n  {failure}", check.name, check.clause)?;
                }
            }
        }
        Ok(())
    }
}

/// Runs one check on a fresh fixture.
pub async fn run<F, T>(check: &Check, factory: &F) -> Verdict
where
    F: Fn() -> T,
    T: Future<Output: Into<Fixture>>,
{
    let fixture: Fixture = factory().await.into();
    if let Some(reason) = check.need.unmet(&fixture) {
        return Verdict::Skipped(reason);
    }
    match (check.run)(&fixture).await {
        Ok(()) => Verdict::Passed,
        Err(failure) => Verdict::Failed(failure),
    }
}

/// Runs one check by its name and fails the test with it; what the macros expand to.
///
/// # Panics
///
/// Where the check fails, or there is none of this name.
pub async fn run_named<F, T>(name: &str, factory: F)
where
    F: Fn() -> T,
    T: Future<Output: Into<Fixture>>,
{
    let check = store_checks().into_iter().chain(lease_checks()).find(|check| check.name == name);
    let verdict = match &check {
        Some(check) => run(check, &factory).await,
        None => Verdict::Failed(Failure::new(format!("there is no check {name}"))),
    };
    let clause = check.map_or("", |check| check.clause);
    assert!(!matches!(verdict, Verdict::Failed(_)), "{clause}\n{verdict:?}");
    if let Verdict::Skipped(reason) = verdict {
        println!("skipped {name}: {reason}");
    }
}

/// Runs the suite of the `Store` port; every check gets a fresh store.
pub async fn store<F, T>(factory: F) -> Report
where
    F: Fn() -> T,
    T: Future<Output: Into<Fixture>>,
{
    suite(store_checks(), factory).await
}

/// Runs the suite of the `Lease` port, with the fences that the store checks.
pub async fn lease<F, T>(factory: F) -> Report
where
    F: Fn() -> T,
    T: Future<Output: Into<Fixture>>,
{
    suite(lease_checks(), factory).await
}

async fn suite<F, T>(checks: Vec<Check>, factory: F) -> Report
where
    F: Fn() -> T,
    T: Future<Output: Into<Fixture>>,
{
    let mut verdicts = Vec::with_capacity(checks.len());
    for check in checks {
        let verdict = run(&check, &factory).await;
        verdicts.push((check, verdict));
    }
    Report { verdicts }
}
