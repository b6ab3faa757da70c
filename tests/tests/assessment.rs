//! Carriers and a tax service: whom a checkout asks, what it makes of the answer, and of none.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a failing step is a failing test

use commerce_core::app::checkout::{CheckoutRequest, CheckoutStatus};
use commerce_core::carts::CartCommand;
use commerce_core::checkout::CheckoutError;
use commerce_core::kernel::error::{ErrorClass, PortErrorKind};
use commerce_core::port::carrier::CarrierRate;
use commerce_core::settings::{SettingsValues, TaxRule};
use commerce_core::shipping::{RateRule, ShippingMethod};
use commerce_core::value::id::CartId;
use commerce_core::value::{Code, Country, Currency, Label, Money, Rate, TaxClass, TaxRate};
use commerce_testkit::fake::{Carrier, Gateway, Levy, Offer, TaxTable};
use commerce_testkit::shop::Shop;
use commerce_tests::shopping::{contents, mugs};
use pollster::block_on;

fn code(text: &str) -> Code {
    Code::new(text).unwrap()
}

fn vat(percent: &str) -> TaxRate {
    let name = Label::new("VAT").unwrap();
    TaxRate { name, class: TaxClass::Standard, rate: Rate::parse(percent).unwrap() }
}

/// The shop's own way of sending.
fn post(values: &mut SettingsValues) {
    let (code, label) = (code("post"), Label::new("post").unwrap());
    let rate = RateRule::Flat(Shop::euros(300));
    values.shipping = vec![ShippingMethod { code, label, rate, days: Some(5), countries: Vec::new() }];
}

async fn choose(shop: &Shop, cart: CartId, method: &str) {
    let choose = CartCommand::ChooseShipping { method: code(method) };
    shop.buyer(1).execute(cart, choose).await.unwrap();
}

async fn total(shop: &Shop, cart: CartId) -> Result<i64, CheckoutError> {
    shop.buyer(1).quote(cart).await.map(|book| book.total.minor())
}

/// A shop with a mug at 12.50 and these two to ask, and a cart with one.
async fn ground(carrier: &Carrier, taxes: Option<&TaxTable>) -> (Shop, CartId) {
    let (mut shop, _) = mugs(Gateway::capturing(), 10).await;
    shop.commerce = shop.commerce.with_carrier(carrier.clone());
    if let Some(taxes) = taxes {
        shop.commerce = shop.commerce.with_tax_calculator(taxes.clone());
    }
    let cart = shop.cart(1, &[("MUG", 1)]).await.unwrap();
    (shop, cart)
}

#[test]
fn a_carrier_sends_what_the_shop_itself_does_not() {
    block_on(async {
        let carrier = Carrier::new().offering("express", 790, Some(1)).offering("post", 1, None);
        let (shop, cart) = ground(&carrier, None).await;
        shop.settings(post).await;
        let rates = shop.buyer(1).shipping_rates(cart).await.unwrap();
        let offered: Vec<_> = rates.iter().map(|rate| (rate.method.as_str(), rate.price.minor())).collect();
        assert_eq!(offered, [("post", 300), ("express", 790)], "of two with one code the shop's own counts");
        let asked = carrier.asked();
        assert_eq!((asked.len(), asked[0].subtotal), (1, Shop::euros(1250)));
        assert_eq!(asked[0].to.postcode.as_deref(), Some("51147"));
        assert!(!format!("{:?}", asked[0]).contains("51147"));

        choose(&shop, cart, "post").await;
        assert_eq!(total(&shop, cart).await, Ok(1550));
        assert_eq!(carrier.asked().len(), 1, "the shop knows the price of its own methods");
        choose(&shop, cart, "express").await;
        assert_eq!(total(&shop, cart).await, Ok(2040));
        let bought = shop.buyer(1).checkout(CheckoutRequest::new(cart, Shop::euros(2040))).await.unwrap();
        assert_eq!(bought.status, CheckoutStatus::Confirmed);
        assert_eq!(carrier.asked().len(), 3);
    });
}

#[test]
fn a_shop_whose_only_ways_are_a_carriers_does_not_send_for_nothing() {
    block_on(async {
        let carrier = Carrier::new().offering("express", 790, None).avoiding(Country::new("DE").unwrap());
        let (shop, cart) = ground(&carrier, None).await;
        assert_eq!(total(&shop, cart).await, Err(CheckoutError::NoShippingMethod));
        choose(&shop, cart, "express").await;
        assert_eq!(
            total(&shop, cart).await,
            Err(CheckoutError::NoShippingMethod),
            "it does not deliver there"
        );
        assert!(shop.buyer(1).shipping_rates(cart).await.unwrap().is_empty());
    });
}

#[test]
fn a_carrier_that_is_down_stops_only_those_who_chose_it() {
    block_on(async {
        let down = Carrier::new();
        let (mut shop, cart) = ground(&down, None).await;
        shop.settings(post).await;
        let fail = || down.script([Offer::Fail(PortErrorKind::Unavailable)]);
        choose(&shop, cart, "express").await;
        fail();
        assert_eq!(total(&shop, cart).await.unwrap_err().class(), ErrorClass::Unavailable);
        fail();
        assert_eq!(shop.buyer(1).shipping_rates(cart).await.unwrap().len(), 1);
        shop.commerce = shop.commerce.with_carrier(Carrier::new().offering("express", 790, None));
        fail();
        assert_eq!(total(&shop, cart).await, Ok(2040), "another carrier offers it");
        choose(&shop, cart, "post").await;
        fail();
        assert_eq!(total(&shop, cart).await, Ok(1550), "nobody is asked");
    });
}

#[test]
fn of_two_carriers_the_first_one_counts_and_one_is_enough() {
    block_on(async {
        let first = Carrier::new().offering("express", 790, None);
        let (mut shop, cart) = ground(&first, None).await;
        let second = Carrier::new().offering("express", 100, None).offering("slow", 200, None);
        shop.commerce = shop.commerce.with_carrier(second);
        let offered = async || {
            let rates = shop.buyer(1).shipping_rates(cart).await?;
            let rates = rates.iter().map(|rate| (rate.method.as_str().to_owned(), rate.price.minor()));
            Ok::<_, CheckoutError>(rates.collect::<Vec<_>>())
        };
        let all = [("slow".to_owned(), 200), ("express".to_owned(), 790)];
        assert_eq!(offered().await.unwrap(), all);
        // Who only looks gets what the others offer.
        first.script([Offer::Fail(PortErrorKind::Unavailable)]);
        let rest = [("express".to_owned(), 100), ("slow".to_owned(), 200)];
        assert_eq!(offered().await.unwrap(), rest);
    });
}

#[test]
fn where_nobody_answers_that_is_said() {
    block_on(async {
        let down = Carrier::new();
        let (shop, cart) = ground(&down, None).await;
        down.script([Offer::Fail(PortErrorKind::Unavailable)]);
        let error = shop.buyer(1).shipping_rates(cart).await.unwrap_err();
        assert_eq!(
            error.class(),
            ErrorClass::Unavailable,
            "no way to send is not the same as not knowing one"
        );
    });
}

#[test]
fn rates_against_the_contract_change_nothing() {
    block_on(async {
        let carrier = Carrier::new();
        let (mut shop, store) = mugs(Gateway::capturing(), 10).await;
        shop.commerce = shop.commerce.with_carrier(carrier.clone());
        let cart = shop.cart(1, &[("MUG", 1)]).await.unwrap();
        choose(&shop, cart, "express").await;
        let rate = |price| CarrierRate {
            method: code("express"),
            label: Label::new("express").unwrap(),
            price,
            days: None,
        };
        let before = contents(&store);
        let wrong = [
            vec![rate(Money::from_minor(1, Currency::USD))],
            vec![rate(Shop::euros(-1))],
            vec![rate(Shop::euros(1)), rate(Shop::euros(2))],
        ];
        for rates in wrong {
            carrier.script([Offer::These(rates)]);
            let refused = shop.buyer(1).checkout(CheckoutRequest::new(cart, Shop::euros(1250))).await;
            let Err(CheckoutError::Port(error)) = refused else { panic!("{refused:?}") };
            assert_eq!(error.kind, PortErrorKind::Corrupt);
            assert_eq!(contents(&store), before);
        }
    });
}

#[test]
fn a_tax_service_replaces_the_rules_and_is_never_guessed() {
    block_on(async {
        let taxes = TaxTable::new().levying(Country::new("DE").ok(), vat("19"));
        let (shop, cart) = ground(&Carrier::new().offering("express", 750, None), Some(&taxes)).await;
        shop.settings(|values| values.taxes = vec![TaxRule { country: None, rate: vat("50") }]).await;
        choose(&shop, cart, "express").await;
        // (12.50 + 7.50) x 1.19
        assert_eq!(total(&shop, cart).await, Ok(2380));
        assert_eq!(taxes.asked()[0].classes, [TaxClass::Standard]);
        let zero = TaxRate { class: TaxClass::Zero, ..vat("0") };
        for wrong in [vec![zero], vec![vat("19"), vat("7")]] {
            taxes.script([Levy::These(wrong)]);
            let refused = total(&shop, cart).await;
            assert!(
                matches!(&refused, Err(CheckoutError::Port(error)) if error.kind == PortErrorKind::Corrupt)
            );
        }
        taxes.script([Levy::Fail(PortErrorKind::Timeout)]);
        let request = CheckoutRequest::new(cart, Shop::euros(2380));
        let refused = shop.buyer(1).checkout(request.clone()).await.unwrap_err();
        assert_eq!(refused.class(), ErrorClass::Unavailable);
        let bought = shop.buyer(1).checkout(request).await.unwrap();
        assert_eq!(bought.status, CheckoutStatus::Confirmed);
    });
}
