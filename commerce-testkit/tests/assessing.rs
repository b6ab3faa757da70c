//! The fakes of carrier and tax service keep the contracts of their ports, and the checks bite.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use commerce_core::kernel::error::{Effect, PortError, PortErrorKind};
use commerce_core::port::carrier::{Carrier, CarrierRate, Destination, RateRequest};
use commerce_core::port::tax::{TaxCalculator, TaxRequest};
use commerce_core::value::time::Timestamp;
use commerce_core::value::{Country, Currency, Label, Money, Quantity, Rate, Sku, TaxClass, TaxRate};
use commerce_testkit::conformance::{
    CarrierFixture, PortCheck, PortFixture, TaxFixture, Verdict, carrier_checks, port, run_port, tax_checks,
};
use commerce_testkit::fake::{Carrier as FakeCarrier, TaxTable};
use pollster::block_on;

/// How a carrier or a tax service is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    OffersNothing,
    DeliversEverywhere,
    OtherCurrency,
    Negative,
    CodesTwice,
    AnswersOnce,
    Books,
    ForgetsARate,
    OtherClasses,
    NamesTwice,
    TaxesEverything,
    ChangesItsMind,
    Files,
}

#[derive(Debug)]
struct Courier {
    fake: FakeCarrier,
    flaw: Option<Flaw>,
    booked: Arc<AtomicUsize>,
}

#[async_trait]
impl Carrier for Courier {
    async fn rates(&self, mut request: RateRequest) -> Result<Vec<CarrierRate>, PortError> {
        let money = |minor| Money::from_minor(minor, Currency::EUR);
        if self.flaw == Some(Flaw::DeliversEverywhere) {
            request.to.country = germany();
        }
        let mut rates = self.fake.rates(request).await?;
        match self.flaw {
            Some(Flaw::OffersNothing) => rates.clear(),
            Some(Flaw::OtherCurrency) => rates[0].price = Money::from_minor(1, Currency::USD),
            Some(Flaw::Negative) => rates[0].price = money(-1),
            Some(Flaw::CodesTwice) => rates.push(rates[0].clone()),
            Some(Flaw::AnswersOnce) if self.fake.asked().len() > 1 => {
                return Err(PortError::new(PortErrorKind::Invalid, Effect::None, "courier", "rates"));
            }
            Some(Flaw::Books) => drop(self.booked.fetch_add(1, Ordering::Relaxed)),
            _ => {}
        }
        Ok(rates)
    }
}

fn germany() -> Country {
    Country::new("DE").unwrap()
}

fn to(country: &str) -> Destination {
    Destination { country: Country::new(country).unwrap(), region: None, postcode: None }
}

fn parcel(country: &str) -> RateRequest {
    let goods = vec![(Sku::new("MUG").unwrap(), Quantity::new(2).unwrap())];
    RateRequest { to: to(country), subtotal: Money::from_minor(2500, Currency::EUR), goods }
}

fn carrier(flaw: Option<Flaw>) -> CarrierFixture {
    let fake = FakeCarrier::new()
        .offering("standard", 490, Some(3))
        .offering("express", 1290, Some(1))
        .avoiding(Country::new("AQ").unwrap());
    let booked = Arc::new(AtomicUsize::new(0));
    let count = booked.clone();
    CarrierFixture::new(Courier { fake, flaw, booked }, parcel("DE"))
        .with_undeliverable(parcel("AQ"))
        .counting(move || count.load(Ordering::Relaxed))
}

fn rate(name: &str, class: TaxClass, percent: &str) -> TaxRate {
    TaxRate { name: Label::new(name).unwrap(), class, rate: Rate::parse(percent).unwrap() }
}

#[derive(Debug)]
struct Office {
    fake: TaxTable,
    flaw: Option<Flaw>,
    filed: Arc<AtomicUsize>,
}

#[async_trait]
impl TaxCalculator for Office {
    async fn rates(&self, mut request: TaxRequest) -> Result<Vec<TaxRate>, PortError> {
        let class = request.classes.first().cloned();
        if self.flaw == Some(Flaw::OtherClasses) {
            request.classes = vec![TaxClass::Standard, TaxClass::Reduced];
        }
        let mut rates = self.fake.rates(request).await?;
        match (self.flaw, class) {
            (Some(Flaw::ForgetsARate), _) => drop(rates.pop()),
            (Some(Flaw::NamesTwice), _) => rates.extend(rates.clone()),
            (Some(Flaw::TaxesEverything), Some(class)) => rates.push(rate("VAT", class, "19")),
            (Some(Flaw::ChangesItsMind), _) if self.fake.asked().len() > 1 => rates.clear(),
            (Some(Flaw::Files), _) => drop(self.filed.fetch_add(1, Ordering::Relaxed)),
            _ => {}
        }
        Ok(rates)
    }
}

fn office(flaw: Option<Flaw>) -> TaxFixture {
    let levied = vec![rate("VAT", TaxClass::Standard, "19"), rate("VAT", TaxClass::Reduced, "7")];
    let fake = levied
        .iter()
        .fold(TaxTable::new(), |table, rate| table.levying(Some(germany()), rate.clone()))
        .levying(Some(Country::new("FR").unwrap()), rate("TVA", TaxClass::Standard, "20"));
    let filed = Arc::new(AtomicUsize::new(0));
    let count = filed.clone();
    let request = TaxRequest {
        to: Some(to("DE")),
        classes: vec![TaxClass::Standard, TaxClass::Reduced],
        currency: Currency::EUR,
        at: Timestamp::UNIX_EPOCH,
    };
    TaxFixture::new(Office { fake, flaw, filed }, request, levied)
        .counting(move || count.load(Ordering::Relaxed))
}

#[test]
fn the_fakes_conform() {
    let of_carriers = block_on(port(carrier_checks(), || async { carrier(None) }));
    of_carriers.assert();
    assert!(of_carriers.skipped().is_empty());
    let of_taxes = block_on(port(tax_checks(), || async { office(None) }));
    of_taxes.assert();
    assert!(of_taxes.skipped().is_empty());
}

/// Every check has its break here, and finds it.
fn each_is_caught<F: PortFixture, const N: usize>(
    checks: &[PortCheck<F>],
    breaks: [(&str, Flaw); N],
    broken: fn(Option<Flaw>) -> F,
) {
    assert_eq!(checks.iter().map(|check| check.name).collect::<Vec<_>>(), breaks.map(|(name, _)| name));
    for (check, (name, flaw)) in checks.iter().zip(breaks) {
        let verdict = block_on(run_port(check, &|| async move { broken(Some(flaw)) }));
        assert!(matches!(verdict, Verdict::Failed(_)), "{name}: {verdict:?}");
    }
}

#[test]
fn every_check_of_carriers_catches_a_break() {
    let breaks = [
        ("carrier_offers_a_way", Flaw::OffersNothing),
        ("carrier_undeliverable_is_an_empty_list", Flaw::DeliversEverywhere),
        ("carrier_prices_are_in_the_currency_asked_for", Flaw::OtherCurrency),
        ("carrier_prices_are_not_negative", Flaw::Negative),
        ("carrier_codes_are_there_once", Flaw::CodesTwice),
        ("carrier_can_be_asked_again", Flaw::AnswersOnce),
        ("carrier_books_nothing", Flaw::Books),
    ];
    each_is_caught(&carrier_checks(), breaks, carrier);
}

#[test]
fn every_check_of_tax_services_catches_a_break() {
    let breaks = [
        ("tax_levies_what_is_known", Flaw::ForgetsARate),
        ("tax_rates_are_of_classes_asked_for", Flaw::OtherClasses),
        ("tax_names_are_there_once", Flaw::NamesTwice),
        ("tax_unknown_class_is_not_taxed", Flaw::TaxesEverything),
        ("tax_equal_requests_are_answered_alike", Flaw::ChangesItsMind),
        ("tax_files_nothing", Flaw::Files),
    ];
    each_is_caught(&tax_checks(), breaks, office);
}
