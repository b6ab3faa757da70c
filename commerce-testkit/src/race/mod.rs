//! Races and orders: what must hold whoever is first, on any store.
//!
//! Each suite runs a shop on the store of a [`Fixture`], on threads of the operating system, and judges the
//! end by the store and the fake gateway's ledger alone. One line gives an adapter all of them as tests:
//!
//! ```no_run
//! # mod my {
//! #     use commerce_testkit::conformance::Fixture;
//! #     pub async fn fixture() -> Fixture { Fixture::new(commerce_adapters_memory::MemoryStore::new()) }
//! # }
//! commerce_testkit::race_suites!(my::fixture);
//! ```
//!
//! Suites whose [`Suite::clock`] is set let time pass and need a fixture
//! [`with_clock`](Fixture::with_clock); without one they are skipped by name. How often the others repeat is
//! set by the variable `COMMERCE_RACE_REPEATS`.

mod charge;
mod clock;
mod contention;
mod coupon;
mod courier;
mod differential;
mod ground;
mod list;
mod order;
mod stock;

use std::fmt;
use std::future::Future;
use std::pin::Pin;

pub use differential::{Differential, differential};
pub use list::suites;

use crate::conformance::{Failure, Fixture};

/// What a suite counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    counts: Vec<(String, u64)>,
}

impl Tally {
    /// Counts something.
    pub(crate) fn add(&mut self, what: &str, count: impl TryInto<u64>) {
        let count = count.try_into().unwrap_or(0);
        match self.counts.iter_mut().find(|(known, _)| known == what) {
            Some((_, sum)) => *sum += count,
            None => self.counts.push((what.to_owned(), count)),
        }
    }

    /// How often something was counted.
    pub fn of(&self, what: &str) -> u64 {
        self.counts.iter().find(|(known, _)| known == what).map_or(0, |(_, count)| *count)
    }
}

/// `200 buyers, 1 confirmed`.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (what, count)) in self.counts.iter().enumerate() {
            write!(f, "{}{count} {what}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// What came of a suite: what it counted, or what did not hold.
pub type Raced = Result<Tally, Failure>;

/// What runs a suite.
pub(crate) type Run = for<'f> fn(&'f Fixture) -> Pin<Box<dyn Future<Output = Raced> + Send + 'f>>;

/// A race or a set of orders.
#[derive(Clone, Copy)]
pub struct Suite {
    /// Its name, which is the name of the test.
    pub name: &'static str,
    /// What must hold.
    pub about: &'static str,
    /// Whether it lets time pass on the store's clock.
    pub clock: bool,
    pub(crate) run: Run,
}

impl Suite {
    /// Runs it on a fresh fixture; `None` where the fixture lacks the clock that it needs.
    ///
    /// # Errors
    ///
    /// What does not hold.
    pub async fn run(&self, fixture: &Fixture) -> Result<Option<Tally>, Failure> {
        if self.clock && fixture.clock().is_none() {
            return Ok(None);
        }
        (self.run)(fixture).await.map(Some)
    }
}

impl fmt::Debug for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suite").field("name", &self.name).field("about", &self.about).finish_non_exhaustive()
    }
}

/// Runs a suite by its name and fails the test with it; what [`race_suites!`](crate::race_suites) expands to.
///
/// # Panics
///
/// Where something does not hold, or there is no suite of this name.
#[allow(clippy::future_not_send)] // a factory need not be Send, and a test runs on one thread
#[allow(clippy::panic)] // a test fails by panicking
pub async fn run_named<F, T>(name: &str, factory: F)
where
    F: Fn() -> T,
    T: Future<Output: Into<Fixture>>,
{
    let Some(suite) = suites().into_iter().find(|suite| suite.name == name) else {
        panic!("there is no suite {name}");
    };
    let fixture: Fixture = factory().await.into();
    match suite.run(&fixture).await {
        Ok(Some(tally)) => println!("{name}: {tally}"),
        Ok(None) => println!("skipped {name}: the fixture has no clock"),
        Err(failure) => panic!("{}\n{failure}", suite.about),
    }
}
