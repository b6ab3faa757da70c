//! Runs the checks of views.
#![allow(clippy::future_not_send)] // a factory need not be Send, and a test runs on one thread

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use commerce_core::port::view::{ViewError, ViewStore};

use super::super::exec::{self, BlockOn, Task, block_on};
use super::super::outcome::{Failure, Outcome};
use super::list::view_checks;

/// A fresh store of views, with what the checks need besides it.
#[derive(Clone)]
pub struct ViewFixture {
    views: Arc<dyn ViewStore>,
    block_on: BlockOn,
}

impl ViewFixture {
    /// A fresh, empty store of views.
    pub fn new(views: impl ViewStore) -> Self {
        Self::from(Arc::new(views) as Arc<dyn ViewStore>)
    }

    /// How the threads of a race run a future, for stores that live on a runtime.
    #[must_use]
    pub fn with_block_on(mut self, block_on: impl Fn(Task) + Send + Sync + 'static) -> Self {
        self.block_on = Arc::new(block_on);
        self
    }

    pub(crate) fn views(&self) -> &dyn ViewStore {
        &*self.views
    }

    pub(crate) fn shared(&self) -> Arc<dyn ViewStore> {
        self.views.clone()
    }

    /// Runs every future on a thread of its own; gives their results in order.
    pub(crate) async fn race<T, F>(&self, futures: Vec<F>) -> Vec<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        exec::race(&self.block_on, futures).await
    }
}

impl From<Arc<dyn ViewStore>> for ViewFixture {
    fn from(views: Arc<dyn ViewStore>) -> Self {
        Self { views, block_on: Arc::new(block_on) }
    }
}

impl fmt::Debug for ViewFixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ViewFixture").field("views", &self.views).finish_non_exhaustive()
    }
}

impl From<ViewError> for Failure {
    fn from(error: ViewError) -> Self {
        Self::new(format!("a call that must pass failed: {error} ({error:?})"))
    }
}

/// What runs a check.
pub(crate) type RunView = for<'f> fn(&'f ViewFixture) -> Pin<Box<dyn Future<Output = Outcome> + Send + 'f>>;

/// One clause of the contract as a check.
#[derive(Clone, Copy)]
pub struct ViewCheck {
    /// Its name, which is the name of the test.
    pub name: &'static str,
    /// What the contract says.
    pub clause: &'static str,
    pub(crate) run: RunView,
}

impl fmt::Debug for ViewCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ViewCheck").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What came of the suite: every check, with what it found wrong.
#[derive(Debug, Clone)]
#[must_use = "assert it, or read it"]
pub struct ViewReport {
    /// In the order of the suite.
    pub outcomes: Vec<(ViewCheck, Outcome)>,
}

impl ViewReport {
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
pub async fn run_view<F, T>(check: &ViewCheck, factory: &F) -> Outcome
where
    F: Fn() -> T,
    T: Future<Output: Into<ViewFixture>>,
{
    let fixture: ViewFixture = factory().await.into();
    (check.run)(&fixture).await
}

/// Runs one check by its name and fails the test with it; what the macro expands to.
///
/// # Panics
///
/// Where the check fails, or there is none of this name.
pub async fn run_view_named<F, T>(name: &str, factory: F)
where
    F: Fn() -> T,
    T: Future<Output: Into<ViewFixture>>,
{
    let check = view_checks().into_iter().find(|check| check.name == name);
    let outcome = match &check {
        Some(check) => run_view(check, &factory).await,
        None => Err(Failure::new(format!("there is no check {name}"))),
    };
    let clause = check.map_or("", |check| check.clause);
    assert!(outcome.is_ok(), "{clause}\n{outcome:?}");
}

/// Runs the suite of the `ViewStore` port; every check gets a fresh store.
pub async fn view<F, T>(factory: F) -> ViewReport
where
    F: Fn() -> T,
    T: Future<Output: Into<ViewFixture>>,
{
    let mut outcomes = Vec::new();
    for check in view_checks() {
        let outcome = run_view(&check, &factory).await;
        outcomes.push((check, outcome));
    }
    ViewReport { outcomes }
}
