//! A tax service that levies what a test says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use commerce_core::kernel::error::{Effect, PortError, PortErrorKind};
use commerce_core::port::tax::{TaxCalculator, TaxRequest};
use commerce_core::value::{Country, TaxRate};

/// How a tax service answers one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Levy {
    /// By its table.
    Usual,
    /// With these, whatever they are: also with what its contract forbids.
    These(Vec<TaxRate>),
    /// Not at all.
    Fail(PortErrorKind),
}

/// A scriptable, recording tax service with a table of rates by country.
///
/// Clones share everything. Each call takes the next answer of the script; behind its end the table counts.
#[derive(Debug, Clone, Default)]
pub struct TaxTable {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    table: Vec<(Option<Country>, TaxRate)>,
    script: VecDeque<Levy>,
    asked: Vec<TaxRequest>,
}

impl TaxTable {
    /// A service that taxes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// With a rate that is levied on what goes to this country, or everywhere.
    #[must_use]
    pub fn levying(self, country: Option<Country>, rate: TaxRate) -> Self {
        self.lock().table.push((country, rate));
        self
    }

    /// How the next questions are answered, one each.
    pub fn script(&self, levies: impl IntoIterator<Item = Levy>) {
        self.lock().script.extend(levies);
    }

    /// What it was asked, in order.
    pub fn asked(&self) -> Vec<TaxRequest> {
        self.lock().asked.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl TaxCalculator for TaxTable {
    async fn rates(&self, request: TaxRequest) -> Result<Vec<TaxRate>, PortError> {
        let mut inner = self.lock();
        inner.asked.push(request.clone());
        match inner.script.pop_front().unwrap_or(Levy::Usual) {
            Levy::Fail(kind) => Err(PortError::new(kind, Effect::None, "fake tax service", "rates")),
            Levy::These(rates) => Ok(rates),
            Levy::Usual => {
                let country = request.to.map(|to| to.country);
                let levied = inner.table.iter().filter(|(levied_in, rate)| {
                    (levied_in.is_none() || *levied_in == country) && request.classes.contains(&rate.class)
                });
                Ok(levied.map(|(_, rate)| rate.clone()).collect())
            }
        }
    }
}
