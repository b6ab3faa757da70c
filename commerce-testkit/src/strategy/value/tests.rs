//! What is valid is accepted and comes back unchanged; what is not is refused without a panic.

use std::fmt::Debug;

use commerce_core::value::actor::Owner;
use commerce_core::value::id::{OrderId, marker};
use commerce_core::value::shipping::{Band, RateRule, ShippingMethod};
use commerce_core::value::{
    Benefit, Channel, Code, Conditions, Description, Name, PersonName, Reason, RoundingPolicy, TaxClass,
    TaxRate,
};
use proptest::prelude::*;
use proptest::test_runner::{TestCaseResult, TestRunner};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;

fn same<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) -> TestCaseResult {
    let text = serde_json::to_string(value).unwrap();
    let back: T =
        serde_json::from_str(&text).map_err(|error| TestCaseError::fail(format!("{error}: {text}")))?;
    prop_assert_eq!(&back, value);
    prop_assert_eq!(serde_json::to_string(&back).unwrap(), text);
    Ok(())
}

/// Draws values and takes each through serde; a strategy that rejects much is a mistake.
fn all_come_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(values: impl Strategy<Value = T>) {
    let config = ProptestConfig { cases: 200, max_local_rejects: 2, ..ProptestConfig::default() };
    TestRunner::new(config).run(&values, |value| same(&value)).unwrap();
}

/// Reads a value from JSON. One that is accepted comes back unchanged.
fn survives<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: Value) -> TestCaseResult {
    serde_json::from_value::<T>(value).map_or(Ok(()), |value| same(&value))
}

#[test]
fn valid_values_come_back_unchanged() {
    all_come_back(currency());
    all_come_back(money());
    all_come_back(price());
    all_come_back(rate());
    all_come_back(quantity());
    all_come_back(sku());
    all_come_back(slug());
    all_come_back(promotion_code());
    all_come_back(label());
    all_come_back(line::<64>());
    all_come_back(line::<200>());
    all_come_back(email());
    all_come_back(phone());
    all_come_back(country());
    all_come_back(address());
    all_come_back(timestamp());
    all_come_back(id::<marker::Order>());
    all_come_back(actor());
}

/// Takes a text through every type that is read from one.
fn read_as_everything(raw: &str) -> TestCaseResult {
    for value in [json!(raw), serde_json::from_str(raw).unwrap_or_default()] {
        survives::<Currency>(value.clone())?;
        survives::<Rate>(value.clone())?;
        survives::<Quantity>(value.clone())?;
        survives::<Sku>(value.clone())?;
        survives::<Slug>(value.clone())?;
        survives::<PromotionCode>(value.clone())?;
        survives::<Label>(value.clone())?;
        survives::<Code>(value.clone())?;
        survives::<Name>(value.clone())?;
        survives::<PersonName>(value.clone())?;
        survives::<Reason>(value.clone())?;
        survives::<Description>(value.clone())?;
        survives::<Email>(value.clone())?;
        survives::<Phone>(value.clone())?;
        survives::<Country>(value.clone())?;
        survives::<Timestamp>(value.clone())?;
        survives::<OrderId>(value.clone())?;
        survives::<Actor>(value.clone())?;
        survives::<Actor>(json!({ "user": value }))?;
        survives::<Price>(json!({ "amount": value, "currency": "EUR" }))?;
        survives::<Price>(json!({ "amount": "1", "currency": value }))?;
        survives::<Money>(json!({ "minor": value, "currency": "EUR" }))?;
        survives::<Money>(json!({ "minor": 1, "currency": value }))?;
    }
    if let Ok(money) = Money::parse(raw, Currency::KWD) {
        prop_assert_eq!(Money::parse(&money.to_decimal_string(), Currency::KWD), Ok(money));
    }
    Ok(())
}

/// The shapes into which hostile parts are put hold values where the parts are valid.
#[test]
fn composed_values_are_read_where_their_parts_are_valid() {
    let amount = json!({ "minor": 1, "currency": "EUR" });
    let price = json!({ "flat": amount });
    serde_json::from_value::<Channel>(json!("email")).unwrap();
    serde_json::from_value::<RoundingPolicy>(json!({ "mode": "half_even", "level": "line" })).unwrap();
    serde_json::from_value::<Band>(json!({ "from": 1, "price": amount })).unwrap();
    let bands = json!({ "table": { "by": "quantity", "bands": [{ "from": 1, "price": amount }] } });
    serde_json::from_value::<RateRule>(bands).unwrap();
    serde_json::from_value::<ShippingMethod>(json!({ "code": "post", "label": "Post", "rate": price }))
        .unwrap();
    serde_json::from_value::<TaxClass>(json!({ "custom": "books" })).unwrap();
    let tax = json!({ "name": "VAT", "class": "standard", "rate": "19" });
    serde_json::from_value::<TaxRate>(tax).unwrap();
    let conditions = json!({ "min_quantity": 1, "skus": ["MUG"], "products": [] });
    serde_json::from_value::<Conditions>(conditions).unwrap();
    serde_json::from_value::<Benefit>(json!({ "percent": "10" })).unwrap();
    serde_json::from_value::<Benefit>(json!({ "fixed_per_order": amount })).unwrap();
    let gift = json!({ "buy_x_get_y": { "buy": 2, "get": 1, "rate": "100" } });
    serde_json::from_value::<Benefit>(gift).unwrap();
}

/// Puts a part into every place of the values that are made of others.
fn composed_of(part: &Value) -> TestCaseResult {
    let euro = json!({ "minor": 1, "currency": "EUR" });
    let amount = json!({ "minor": part, "currency": "EUR" });
    survives::<Channel>(part.clone())?;
    survives::<Owner>(part.clone())?;
    survives::<Owner>(json!({ "seller": part }))?;
    survives::<RoundingPolicy>(json!({ "mode": part, "level": "line" }))?;
    survives::<RoundingPolicy>(json!({ "mode": "half_even", "level": part }))?;
    survives::<Band>(json!({ "from": part, "price": euro }))?;
    survives::<RateRule>(
        json!({ "table": { "by": "quantity", "bands": [{ "from": part, "price": amount }] } }),
    )?;
    survives::<ShippingMethod>(json!({ "code": part, "label": "Post", "rate": { "flat": euro } }))?;
    survives::<ShippingMethod>(json!({ "code": "post", "label": part, "rate": { "flat": amount } }))?;
    survives::<TaxClass>(json!({ "custom": part }))?;
    survives::<TaxRate>(json!({ "name": part, "class": "standard", "rate": "19" }))?;
    survives::<TaxRate>(json!({ "name": "VAT", "class": part, "rate": part }))?;
    survives::<Conditions>(json!({ "min_quantity": part, "skus": [part], "products": [part] }))?;
    survives::<Benefit>(json!({ "percent": part }))?;
    survives::<Benefit>(json!({ "fixed_per_order": amount }))?;
    survives::<Benefit>(json!({ "buy_x_get_y": { "buy": part, "get": 1, "rate": "100" } }))
}

proptest! {
    /// The texts of the valid strategies are accepted as they are: nothing is filtered away.
    #[test]
    fn valid_texts_are_accepted(
        texts in (text::sku(), text::slug(), text::promotion_code(), text::label(), text::line(64)),
        people in (text::email(), text::phone(), text::country(), address_input()),
        numbers in (text::currency(), text::rate(), text::price()),
    ) {
        let (sku, slug, code, label, line) = texts;
        prop_assert!(Sku::new(&sku).is_ok(), "{:?}", sku);
        prop_assert!(Slug::new(&slug).is_ok(), "{:?}", slug);
        prop_assert!(PromotionCode::new(&code).is_ok(), "{:?}", code);
        prop_assert!(Label::new(&label).is_ok(), "{:?}", label);
        prop_assert!(Code::new(&line).is_ok(), "{:?}", line);
        let (email, phone, country, address) = people;
        prop_assert!(Email::new(&email).is_ok(), "{:?}", email);
        prop_assert!(Phone::new(&phone).is_ok(), "{:?}", phone);
        prop_assert!(Country::new(&country).is_ok(), "{:?}", country);
        prop_assert!(Address::new(&address).is_ok(), "{:?}", Address::new(&address));
        let (currency, rate, price) = numbers;
        prop_assert!(currency.parse::<Currency>().is_ok(), "{}", currency);
        prop_assert!(Rate::parse(&rate).is_ok(), "{}", rate);
        prop_assert!(Price::parse(&price, Currency::EUR).is_ok(), "{}", price);
    }

    #[test]
    fn hostile_texts_never_panic(raw in text::hostile()) {
        read_as_everything(&raw)?;
    }

    #[test]
    fn near_texts_never_panic_and_come_back_where_accepted(
        words in (text::near(text::sku()), text::near(text::slug()), text::near(text::label())),
        people in (text::near(text::email()), text::near(text::phone()), text::near(text::line(200))),
        numbers in (text::near(text::currency()), text::near(text::rate()), text::near(text::price())),
    ) {
        let ((a, b, c), (d, e, f), (g, h, i)) = (words, people, numbers);
        for raw in [a, b, c, d, e, f, g, h, i] {
            read_as_everything(&raw)?;
        }
    }

    #[test]
    fn addresses_with_a_hostile_part_never_panic(
        input in address_input(),
        part in 0_u8..8,
        raw in text::hostile(),
    ) {
        let mut input = input;
        match part {
            0 => input.recipient = raw,
            1 => input.line1 = raw,
            2 => input.line2 = Some(raw),
            3 => input.city = raw,
            4 => input.region = Some(raw),
            5 => input.postcode = Some(raw),
            6 => input.country = raw,
            _ => input.phone = Some(raw),
        }
        if let Ok(address) = Address::new(&input) {
            same(&address)?;
        }
    }

    /// Values that are made of others, with any text or number in any of their parts.
    #[test]
    fn composed_values_with_a_hostile_part_never_panic(raw in text::hostile(), number in any::<i64>()) {
        for part in [json!(raw), json!(number), serde_json::from_str(&raw).unwrap_or_default()] {
            composed_of(&part)?;
        }
    }

    /// What is printed is read back as the same value.
    #[test]
    fn what_is_printed_is_read_again(
        words in (sku(), slug(), label(), currency()),
        others in (rate(), email(), phone(), country()),
    ) {
        let (sku, slug, label, currency) = words;
        prop_assert_eq!(Sku::new(sku.as_str()), Ok(sku));
        prop_assert_eq!(Slug::new(slug.as_str()), Ok(slug));
        prop_assert_eq!(Label::new(label.as_str()), Ok(label));
        // A unit of the host prints its code alone, which says nothing of its decimals.
        let read = currency.to_string().parse::<Currency>();
        prop_assert!(read.is_err() || read == Ok(currency), "{} is read as {:?}", currency, read);
        prop_assert_eq!(read.is_err(), currency.code().contains('-'));
        let (rate, email, phone, country) = others;
        prop_assert_eq!(Rate::parse(rate.to_string().trim_end_matches([' ', '%'])), Ok(rate));
        prop_assert_eq!(Email::new(email.as_str()), Ok(email));
        prop_assert_eq!(Phone::new(phone.as_str()), Ok(phone));
        prop_assert_eq!(country.to_string().parse::<Country>(), Ok(country));
    }
}
