//! What the contracts of `Carrier` and `TaxCalculator` say, as named checks.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use commerce_core::port::carrier::{Carrier, RateRequest};
use commerce_core::port::tax::{TaxCalculator, TaxRequest};
use commerce_core::value::{Label, TaxClass, TaxRate};

use super::outcome::{Failure, Outcome, equal, holds, present};
use super::suite::{PortCheck, PortFixture, port_checks};

type Count = Arc<dyn Fn() -> usize + Send + Sync>;

/// A carrier under test.
#[derive(Clone)]
pub struct CarrierFixture {
    carrier: Arc<dyn Carrier>,
    deliverable: RateRequest,
    undeliverable: Option<RateRequest>,
    booked: Option<Count>,
}

impl CarrierFixture {
    /// A sandbox that can send this in at least one way.
    pub fn new(carrier: impl Carrier, deliverable: RateRequest) -> Self {
        Self { carrier: Arc::new(carrier), deliverable, undeliverable: None, booked: None }
    }

    /// What it cannot send at all.
    #[must_use]
    pub fn with_undeliverable(mut self, request: RateRequest) -> Self {
        self.undeliverable = Some(request);
        self
    }

    /// How many parcels were booked with it.
    #[must_use]
    pub fn counting(mut self, booked: impl Fn() -> usize + Send + Sync + 'static) -> Self {
        self.booked = Some(Arc::new(booked));
        self
    }
}

impl fmt::Debug for CarrierFixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CarrierFixture").field("carrier", &self.carrier).finish_non_exhaustive()
    }
}

impl PortFixture for CarrierFixture {
    fn unmet(&self, check: &str) -> Option<&'static str> {
        match check {
            "carrier_undeliverable_is_an_empty_list" if self.undeliverable.is_none() => {
                Some("the fixture knows nothing that cannot be sent")
            }
            "carrier_books_nothing" if self.booked.is_none() => {
                Some("the fixture does not count what is booked")
            }
            _ => None,
        }
    }
}

async fn carrier_offers_a_way(f: &CarrierFixture) -> Outcome {
    holds("there is a way to send it", !f.carrier.rates(f.deliverable.clone()).await?.is_empty())
}

async fn carrier_undeliverable_is_an_empty_list(f: &CarrierFixture) -> Outcome {
    let request = present("what cannot be sent", f.undeliverable.as_ref())?;
    equal("ways to send what cannot be sent", f.carrier.rates(request.clone()).await?.len(), 0)
}

async fn carrier_prices_are_in_the_currency_asked_for(f: &CarrierFixture) -> Outcome {
    for rate in f.carrier.rates(f.deliverable.clone()).await? {
        equal("the currency of a price", rate.price.currency(), f.deliverable.subtotal.currency())?;
    }
    Ok(())
}

async fn carrier_prices_are_not_negative(f: &CarrierFixture) -> Outcome {
    for rate in f.carrier.rates(f.deliverable.clone()).await? {
        holds("a price is not negative", !rate.price.is_negative())?;
    }
    Ok(())
}

async fn carrier_codes_are_there_once(f: &CarrierFixture) -> Outcome {
    let rates = f.carrier.rates(f.deliverable.clone()).await?;
    let codes: BTreeSet<_> = rates.iter().map(|rate| &rate.method).collect();
    equal("codes, each once", codes.len(), rates.len())
}

async fn carrier_can_be_asked_again(f: &CarrierFixture) -> Outcome {
    f.carrier.rates(f.deliverable.clone()).await?;
    let again = f.carrier.rates(f.deliverable.clone()).await?;
    holds("there is a way to send it the second time", !again.is_empty())
}

async fn carrier_books_nothing(f: &CarrierFixture) -> Outcome {
    let booked = present("a count of what is booked", f.booked.as_ref())?;
    let before = booked();
    f.carrier.rates(f.deliverable.clone()).await?;
    equal("parcels that were booked", booked(), before)
}

/// A tax service under test.
#[derive(Clone)]
pub struct TaxFixture {
    calculator: Arc<dyn TaxCalculator>,
    request: TaxRequest,
    levied: Vec<TaxRate>,
    filed: Option<Count>,
}

impl TaxFixture {
    /// A sandbox that levies just this on what the request names.
    pub fn new(calculator: impl TaxCalculator, request: TaxRequest, levied: Vec<TaxRate>) -> Self {
        Self { calculator: Arc::new(calculator), request, levied, filed: None }
    }

    /// How many sales were filed with it.
    #[must_use]
    pub fn counting(mut self, filed: impl Fn() -> usize + Send + Sync + 'static) -> Self {
        self.filed = Some(Arc::new(filed));
        self
    }
}

impl fmt::Debug for TaxFixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaxFixture").field("calculator", &self.calculator).finish_non_exhaustive()
    }
}

impl PortFixture for TaxFixture {
    fn unmet(&self, check: &str) -> Option<&'static str> {
        let uncounted = check == "tax_files_nothing" && self.filed.is_none();
        uncounted.then_some("the fixture does not count what is filed")
    }
}

/// In an order that does not depend on the service.
fn sorted(mut rates: Vec<TaxRate>) -> Vec<TaxRate> {
    rates.sort_by(|a, b| (&a.class, &a.name, a.rate).cmp(&(&b.class, &b.name, b.rate)));
    rates
}

async fn tax_levies_what_is_known(f: &TaxFixture) -> Outcome {
    let rates = f.calculator.rates(f.request.clone()).await?;
    equal("rates that are levied", sorted(rates), sorted(f.levied.clone()))
}

async fn tax_rates_are_of_classes_asked_for(f: &TaxFixture) -> Outcome {
    for class in &f.request.classes {
        let request = TaxRequest { classes: vec![class.clone()], ..f.request.clone() };
        for rate in f.calculator.rates(request).await? {
            equal("the class of a rate", &rate.class, class)?;
        }
    }
    let nothing = TaxRequest { classes: Vec::new(), ..f.request.clone() };
    equal("rates for no class", f.calculator.rates(nothing).await?.len(), 0)
}

async fn tax_names_are_there_once(f: &TaxFixture) -> Outcome {
    let rates = f.calculator.rates(f.request.clone()).await?;
    let names: BTreeSet<_> = rates.iter().map(|rate| (&rate.class, &rate.name)).collect();
    equal("names in their classes, each once", names.len(), rates.len())
}

async fn tax_unknown_class_is_not_taxed(f: &TaxFixture) -> Outcome {
    let label = Label::new("conformance-untaxed").map_err(|error| Failure::new(error.to_string()))?;
    let request = TaxRequest { classes: vec![TaxClass::Custom(label)], ..f.request.clone() };
    equal("rates for a class that nobody knows", f.calculator.rates(request).await?.len(), 0)
}

async fn tax_equal_requests_are_answered_alike(f: &TaxFixture) -> Outcome {
    let first = f.calculator.rates(f.request.clone()).await?;
    let second = f.calculator.rates(f.request.clone()).await?;
    equal("rates the second time", sorted(second), sorted(first))
}

async fn tax_files_nothing(f: &TaxFixture) -> Outcome {
    let filed = present("a count of what is filed", f.filed.as_ref())?;
    let before = filed();
    f.calculator.rates(f.request.clone()).await?;
    equal("sales that were filed", filed(), before)
}

/// The checks of the `Carrier` port, one per clause.
pub fn carrier_checks() -> Vec<PortCheck<CarrierFixture>> {
    port_checks! { []
        { self carrier_offers_a_way "rates: the ways to send this." }
        { self carrier_undeliverable_is_an_empty_list "rates: empty where it does not deliver." }
        { self carrier_prices_are_in_the_currency_asked_for "rates: every price is in the currency of the subtotal." }
        { self carrier_prices_are_not_negative "rates: no price is negative." }
        { self carrier_codes_are_there_once "rates: every code is there once." }
        { self carrier_can_be_asked_again "rates: asking again does no harm." }
        { self carrier_books_nothing "rates: a question; nothing is booked." }
    }
}

/// The checks of the `TaxCalculator` port, one per clause.
pub fn tax_checks() -> Vec<PortCheck<TaxFixture>> {
    port_checks! { []
        { self tax_levies_what_is_known "rates: the rates that are levied." }
        { self tax_rates_are_of_classes_asked_for "rates: every rate is of a class that was asked for." }
        { self tax_names_are_there_once "rates: of one class every name is there once." }
        { self tax_unknown_class_is_not_taxed "rates: a class without one is not taxed." }
        { self tax_equal_requests_are_answered_alike "rates: equal requests are answered alike." }
        { self tax_files_nothing "rates: a question; nothing is filed." }
    }
}
