//! A carrier that offers what a test says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use commerce_core::kernel::error::{Effect, PortError, PortErrorKind};
use commerce_core::port::carrier::{Carrier as CarrierPort, CarrierRate, RateRequest};
use commerce_core::value::{Code, Country, Label, Money};

/// How a carrier answers one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offer {
    /// With its usual rates.
    Usual,
    /// With these, whatever they are: also with what its contract forbids.
    These(Vec<CarrierRate>),
    /// Not at all.
    Fail(PortErrorKind),
}

/// A scriptable, recording carrier.
///
/// Clones share everything. Each call takes the next answer of the script; behind its end the usual rates
/// count, in the currency that is asked for. It delivers everywhere but to the countries that it is told not
/// to serve.
#[derive(Debug, Clone, Default)]
pub struct Carrier {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    usual: Vec<(Code, Label, i64, Option<u16>)>,
    avoided: Vec<Country>,
    script: VecDeque<Offer>,
    asked: Vec<RateRequest>,
}

impl Carrier {
    /// A carrier without a single way to send something.
    pub fn new() -> Self {
        Self::default()
    }

    /// With a way to send: its code, which is its name too, the price in minor units, and the days it takes.
    ///
    /// # Panics
    ///
    /// Where the code is none.
    #[must_use]
    #[allow(clippy::expect_used)] // a test that sets up nonsense has to hear of it
    pub fn offering(self, code: &str, minor: i64, days: Option<u16>) -> Self {
        let label = Label::new(code).expect("a test uses a valid label");
        let code = Code::new(code).expect("a test uses a valid code");
        self.lock().usual.push((code, label, minor, days));
        self
    }

    /// Does not deliver to this country.
    #[must_use]
    pub fn avoiding(self, country: Country) -> Self {
        self.lock().avoided.push(country);
        self
    }

    /// How the next questions are answered, one each.
    pub fn script(&self, offers: impl IntoIterator<Item = Offer>) {
        self.lock().script.extend(offers);
    }

    /// What it was asked, in order.
    pub fn asked(&self) -> Vec<RateRequest> {
        self.lock().asked.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl CarrierPort for Carrier {
    async fn rates(&self, request: RateRequest) -> Result<Vec<CarrierRate>, PortError> {
        let mut inner = self.lock();
        let currency = request.subtotal.currency();
        let avoided = inner.avoided.contains(&request.to.country);
        inner.asked.push(request);
        match inner.script.pop_front().unwrap_or(Offer::Usual) {
            Offer::Fail(kind) => Err(PortError::new(kind, Effect::None, "fake carrier", "rates")),
            Offer::These(rates) => Ok(rates),
            Offer::Usual if avoided => Ok(Vec::new()),
            Offer::Usual => {
                let rate = |(method, label, minor, days): &(Code, Label, i64, Option<u16>)| CarrierRate {
                    method: method.clone(),
                    label: label.clone(),
                    price: Money::from_minor(*minor, currency),
                    days: *days,
                };
                Ok(inner.usual.iter().map(rate).collect())
            }
        }
    }
}
