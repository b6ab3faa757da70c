use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::history::{Step, at, drive, id};
use crate::kernel::aggregate::Aggregate;
use crate::kernel::personal::Personal;
use crate::kernel::replay::fold;
use crate::value::time::Timestamp;
use crate::value::{Address, AddressInput, Code, Country, Currency, Label, Money, Quantity, Reason, Sku};

fn address() -> Personal<Address> {
    let text = str::to_owned;
    let input = AddressInput {
        recipient: text("Ada"),
        line1: text("Street 1"),
        city: text("Berlin"),
        postcode: Some(text("10115")),
        country: text("DE"),
        ..AddressInput::default()
    };
    Personal::new(id(7), Address::new(&input).unwrap())
}

fn line(number: u32) -> ShipmentLine {
    ShipmentLine {
        order_line: id(u128::from(number) + 1),
        reservation_line: Some(number),
        sku: Sku::new("MUG").unwrap(),
        quantity: Quantity::ONE,
    }
}

fn create(lines: Vec<ShipmentLine>) -> ShipmentCommand {
    ShipmentCommand::Create { order: id(1), lines, reservation: id(2), location: id(3), address: address() }
}

fn reason() -> Reason {
    Reason::new("fraud check").unwrap()
}

fn tracking(number: &str) -> Tracking {
    Tracking { carrier: Code::new("post").unwrap(), number: Code::new(number).unwrap() }
}

fn news(status: CarrierStatus, seconds: i64, rank: u16) -> ShipmentCommand {
    ShipmentCommand::RecordTracking { status, at: at(seconds), rank }
}

fn shipment(commands: impl IntoIterator<Item = ShipmentCommand>) -> Shipment {
    let mut state = None;
    for command in std::iter::once(create(vec![line(0)])).chain(commands) {
        let events = Shipment::decide(state.as_ref(), command, at(1)).unwrap();
        state = fold(state, &events).unwrap();
    }
    state.unwrap()
}

fn refusal(shipment: &Shipment, command: ShipmentCommand) -> ShipmentError {
    Shipment::decide(Some(shipment), command, at(1)).unwrap_err()
}

fn any_news() -> impl Strategy<Value = CarrierNews> {
    let status = prop_oneof![
        Just(CarrierStatus::InTransit),
        Just(CarrierStatus::OutForDelivery),
        Just(CarrierStatus::Delivered),
        Just(CarrierStatus::Exception),
    ];
    (status, 1..6_i64, 0..2_u16).prop_map(|(status, time, rank)| CarrierNews { at: at(time), rank, status })
}

fn any_command() -> impl Strategy<Value = ShipmentCommand> {
    prop_oneof![
        2 => Just(ShipmentCommand::MarkReady),
        1 => Just(ShipmentCommand::Hold { reason: reason() }),
        1 => Just(ShipmentCommand::Unhold),
        1 => Just(ShipmentCommand::Cancel { reason: reason() }),
        3 => Just(ShipmentCommand::Dispatch { tracking: Some(tracking("1")) }),
        6 => any_news().prop_map(|one| ShipmentCommand::RecordTracking { status: one.status, at: one.at, rank: one.rank }),
        1 => Just(ShipmentCommand::ReturnToSender),
        1 => Just(ShipmentCommand::Lose),
    ]
}

fn history() -> impl Strategy<Value = Vec<(Timestamp, ShipmentCommand)>> {
    (0..3_u32, proptest::collection::vec(any_command(), 0..40)).prop_map(|(lines, commands)| {
        let lines = (0..lines).map(line).collect();
        std::iter::once(create(lines)).chain(commands).map(|command| (at(1), command)).collect()
    })
}

fn method(code: &str, minor: i64, days: Option<u16>) -> ShippingMethod {
    ShippingMethod {
        code: Code::new(code).unwrap(),
        label: Label::new(code).unwrap(),
        rate: RateRule::Flat(Money::from_minor(minor, Currency::EUR)),
        days,
        countries: Vec::new(),
    }
}

fn basis(subtotal: i64, quantity: u64) -> RateBasis {
    let subtotal = Money::from_minor(subtotal, Currency::EUR);
    RateBasis { country: Country::new("DE").unwrap(), subtotal, quantity }
}

fn quoted(methods: &[ShippingMethod], basis: &RateBasis) -> Result<Vec<RateQuote>, RateError> {
    quote(methods, basis, at(100), Duration::from_secs(60))
}

proptest! {
    #[test]
    fn shipping_2_a_shipment_has_units_and_one_address(commands in history()) {
        drive::<Shipment>(commands, |step: Step<'_, Shipment>| {
            let Some(after) = step.after else { return };
            assert!(after.lines().iter().map(|line| line.quantity.get()).sum::<u32>() >= 1);
            if let Some(before) = step.before {
                let place = |shipment: &Shipment| (shipment.location(), shipment.address().clone(), shipment.lines().to_vec());
                assert_eq!(place(before), place(after));
            }
        });
    }

    #[test]
    fn shipping_3_steps_follow_the_table(commands in history()) {
        drive::<Shipment>(commands, |step: Step<'_, Shipment>| {
            let Some(after) = step.after.map(Shipment::status) else { return };
            let before = step.before.map(Shipment::status);
            if before == Some(after) { return }
            let name = |status: Status| format!("{status:?}");
            let from = before.map_or("–".to_owned(), name);
            let command = format!("{:?}", step.command);
            let row = TRANSITIONS.iter().any(|(row_from, row_command, to)| {
                *row_from == from && command.starts_with(row_command) && *to == name(after)
            });
            assert!(row, "{from} to {after:?} by {command}");
            assert!(before.is_none_or(|before| !before.is_terminal()));
        });
    }

    #[test]
    fn shipping_5_older_news_is_kept_and_changes_nothing(told in proptest::collection::vec(any_news(), 0..20)) {
        let mut state = Some(shipment([ShipmentCommand::MarkReady, ShipmentCommand::Dispatch { tracking: None }]));
        let mut latest: Option<CarrierNews> = None;
        for one in &told {
            let before = state.clone().unwrap();
            let command = ShipmentCommand::RecordTracking { status: one.status, at: one.at, rank: one.rank };
            let events = Shipment::decide(state.as_ref(), command, at(1)).unwrap();
            state = fold(state, &events).unwrap();
            let after = state.as_ref().unwrap();
            let newer = latest.is_none_or(|latest| (one.at, one.rank) > (latest.at, latest.rank));
            if newer && before.status() != Status::Delivered {
                latest = Some(*one);
                prop_assert_eq!(after.status(), one.status.status());
            } else {
                prop_assert_eq!(after.status(), before.status());
            }
            prop_assert!(after.news().any(|known| known == one));
        }
        let mut kept = told.clone();
        kept.sort();
        kept.dedup();
        prop_assert_eq!(state.unwrap().news().copied().collect::<Vec<_>>(), kept);
    }

    #[test]
    fn shipping_7_the_choice_does_not_depend_on_the_order(
        mut methods in proptest::collection::btree_map("[a-e]", (0..3_i64, proptest::option::of(1..3_u16)), 1..5)
            .prop_map(|known| known.into_iter().map(|(code, (minor, days))| method(&code, minor, days)).collect::<Vec<_>>())
            .prop_shuffle(),
    ) {
        let quotes = quoted(&methods, &basis(1, 1)).unwrap();
        methods.reverse();
        prop_assert_eq!(&quotes, &quoted(&methods, &basis(1, 1)).unwrap());
        let least = quotes.iter().map(|quote| quote.price.minor()).min();
        prop_assert_eq!(cheapest(&quotes).map(|quote| quote.price.minor()), least);
        prop_assert_eq!(cheapest(&quotes), quotes.first());
        let mut other = quotes.clone();
        other.reverse();
        prop_assert_eq!(cheapest(&quotes), cheapest(&other));
        prop_assert_eq!(fastest(&quotes), fastest(&other));
        let days = quotes.iter().filter_map(|quote| quote.days).min();
        prop_assert_eq!(fastest(&quotes).and_then(|quote| quote.days), days);
    }
}

#[test]
fn shipping_6_a_quote_that_is_over_is_not_charged() {
    let quotes = quoted(&[method("post", 490, None)], &basis(1, 1)).unwrap();
    assert_eq!(quotes[0].charge(at(159)), Ok(Money::from_minor(490, Currency::EUR)));
    assert_eq!(quotes[0].charge(at(160)), Err(RateError::Expired { at: at(160) }));
}

#[test]
fn shipping_8_nothing_is_quoted_where_nothing_is_delivered() {
    let abroad = ShippingMethod { countries: vec![Country::new("FR").unwrap()], ..method("post", 1, None) };
    let refused = quoted(std::slice::from_ref(&abroad), &basis(1, 1));
    assert_eq!(refused, Err(RateError::Undeliverable { country: Country::new("DE").unwrap() }));
    assert_eq!(quoted(&[abroad, method("air", 9, None)], &basis(1, 1)).unwrap().len(), 1);
}

#[test]
fn a_table_is_read_by_its_bands() {
    let band = |from, minor| Band { from, price: Money::from_minor(minor, Currency::EUR) };
    let table = |by| {
        let rate = RateRule::Table { by, bands: vec![band(100, 0), band(2, 490), band(10, 250)] };
        [ShippingMethod { rate, ..method("post", 0, None) }]
    };
    let price = |by, basis| quoted(&table(by), &basis).map(|quotes| quotes[0].price.minor());
    assert_eq!(price(Measure::Subtotal, basis(1, 500)), Err(RateError::NoRate));
    assert_eq!(price(Measure::Subtotal, basis(9, 500)), Ok(490));
    assert_eq!(price(Measure::Subtotal, basis(100, 1)), Ok(0));
    assert_eq!(price(Measure::Quantity, basis(1, 10)), Ok(250));
    let code = Code::new("post").unwrap();
    assert_eq!(
        quoted(&[method("post", -1, None)], &basis(1, 1)),
        Err(RateError::Negative { method: code.clone() })
    );
    let dollars = RateBasis { subtotal: Money::zero(Currency::USD), ..basis(1, 1) };
    assert_eq!(quoted(&[method("post", 1, None)], &dollars), Err(RateError::Currency { method: code }));
}

#[test]
fn a_shipment_refuses() {
    assert_eq!(Shipment::decide(None, ShipmentCommand::Lose, at(1)), Err(ShipmentError::NotFound));
    assert_eq!(Shipment::decide(None, create(vec![]), at(1)), Err(ShipmentError::Empty));
    let twice = Shipment::decide(None, create(vec![line(4), line(4)]), at(1));
    assert_eq!(twice, Err(ShipmentError::RepeatedLine { reservation_line: 4 }));
    let pending = shipment([]);
    assert_eq!(Shipment::decide(Some(&pending), create(vec![line(0)]), at(1)), Ok(vec![]));
    assert_eq!(refusal(&pending, create(vec![line(1)])), ShipmentError::AlreadyExists);
    let dispatch = |number| ShipmentCommand::Dispatch { tracking: Some(tracking(number)) };
    assert!(matches!(refusal(&pending, dispatch("1")), ShipmentError::IllegalTransition { .. }));
    let early = refusal(&pending, news(CarrierStatus::InTransit, 1, 0));
    assert!(matches!(early, ShipmentError::IllegalTransition { status: Status::Pending, .. }));
    let sent = shipment([ShipmentCommand::MarkReady, dispatch("1")]);
    assert_eq!(Shipment::decide(Some(&sent), dispatch("1"), at(1)), Ok(vec![]));
    assert_eq!(refusal(&sent, dispatch("2")), ShipmentError::DispatchedOtherwise);
    assert!(matches!(
        refusal(&sent, ShipmentCommand::Cancel { reason: reason() }),
        ShipmentError::IllegalTransition { .. }
    ));
}

#[test]
fn a_held_shipment_goes_back_to_where_it_was() {
    let hold = ShipmentCommand::Hold { reason: reason() };
    assert_eq!(shipment([hold.clone(), ShipmentCommand::Unhold]).status(), Status::Pending);
    let ready = shipment([ShipmentCommand::MarkReady, hold, ShipmentCommand::Unhold]);
    assert_eq!(ready.status(), Status::ReadyToShip);
}
