//! Every event ever shipped keeps its name, and its schema version only grows with a record of it.
//!
//! `golden/events.txt` is the record. To add an event or a schema version, run this with
//! `UPDATE_GOLDEN=1`; nothing is ever taken out of the file, neither by hand.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use commerce_core::app::audit;
use commerce_core::kernel::event::{DomainEvent, EventType};
use commerce_core::payments::{parked, quarantine};
use commerce_core::{
    carts, catalog, checkout, customers, imports, inventory, messaging, notifications, orders, payments,
    promotions, returns, settings, shipping,
};
use commerce_tests::house::{root, sources};

/// The events of every aggregate, by the name of their enum.
fn enums() -> Vec<(&'static str, &'static [EventType])> {
    macro_rules! types {
        ($($module:ident::$event:ident),* $(,)?) => {
            vec![$((stringify!($event), <$module::$event as DomainEvent>::TYPES)),*]
        };
    }
    types![
        carts::CartEvent,
        catalog::CategoryEvent,
        catalog::ProductEvent,
        checkout::CheckoutEvent,
        customers::CustomerEvent,
        imports::ImportedReturnEvent,
        imports::NoteEvent,
        inventory::ReservationEvent,
        inventory::StockEvent,
        messaging::BacklogEvent,
        messaging::InboxEvent,
        messaging::DeadLetterEvent,
        messaging::ProgressEvent,
        notifications::NotificationEvent,
        orders::OrderEditEvent,
        orders::OrderEvent,
        payments::PaymentEvent,
        parked::ParkedEvent,
        quarantine::QuarantineEvent,
        promotions::PromotionEvent,
        promotions::RedemptionEvent,
        returns::ReturnEvent,
        audit::RepairEvent,
        settings::SettingsEvent,
        shipping::ShipmentEvent,
    ]
}

/// What is wrong with today's events (name and schema) by the record.
fn differences(record: &str, today: &BTreeMap<&str, u16>) -> Vec<String> {
    let mut recorded: BTreeMap<&str, BTreeSet<u16>> = BTreeMap::new();
    for line in record.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, schema) = line.split_once(" v").unwrap_or_else(|| panic!("not an event: {line}"));
        recorded.entry(name).or_default().insert(schema.parse().unwrap());
    }
    let mut found = Vec::new();
    for (name, schemas) in &recorded {
        match today.get(name) {
            None => found.push(format!("{name} was shipped and is gone")),
            Some(schema) if schemas.iter().any(|known| known > schema) => {
                found.push(format!("{name} went back to v{schema}"));
            }
            Some(schema) if (1..*schema).any(|older| !schemas.contains(&older)) => {
                found.push(format!("{name} v{schema} leaves a version out"));
            }
            Some(_) => {}
        }
    }
    for (name, schema) in today {
        if !recorded.get(name).is_some_and(|schemas| schemas.contains(schema)) {
            found.push(format!("not recorded: {name} v{schema}"));
        }
    }
    found
}

fn today() -> BTreeMap<&'static str, u16> {
    enums().into_iter().flat_map(|(_, types)| types).map(|known| (known.name, known.schema)).collect()
}

#[test]
fn every_event_is_on_record() {
    let path = root().join("tests/golden/events.txt");
    let record = fs::read_to_string(&path).unwrap_or_default();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let mut lines: BTreeSet<String> = record.lines().map(str::to_owned).collect();
        lines.extend(today().iter().map(|(name, schema)| format!("{name} v{schema}")));
        fs::write(
            &path,
            lines.into_iter().filter(|line| !line.is_empty()).map(|line| line + "\n").collect::<String>(),
        )
        .unwrap();
        return;
    }
    let found = differences(&record, &today());
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn names_are_unique_and_well_formed() {
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for (owner, types) in enums() {
        for known in types {
            let camel = known.name.starts_with(|c: char| c.is_ascii_uppercase())
                && known.name.chars().all(|c| c.is_ascii_alphanumeric());
            assert!(camel, "{}", known.name);
            if let Some(other) = owners.insert(known.name, owner) {
                panic!("{} is an event of {owner} and of {other}", known.name);
            }
        }
    }
}

#[test]
fn no_enum_is_left_out() {
    let known: BTreeSet<String> = enums().into_iter().map(|(name, _)| name.to_owned()).collect();
    let mut found = BTreeSet::new();
    for source in sources("commerce-core/src") {
        let code = source.shipped();
        for (at, start) in code.match_indices("event_types!") {
            let body = code[at + start.len()..].trim_start();
            let name = body.strip_prefix('{').map(str::trim_start).unwrap_or_default();
            let name: String = name.chars().take_while(|c| c.is_alphanumeric()).collect();
            if !name.is_empty() {
                found.insert(name);
            }
        }
    }
    assert_eq!(found, known);
}

#[test]
fn the_check_finds_made_up_changes() {
    let today = BTreeMap::from([("A", 2), ("B", 1), ("D", 3)]);
    let record = "A v1\nA v2\nB v2\nC v1\nD v1\n";
    let expected = ["B went back to v1", "C was shipped and is gone", "D v3 leaves a version out"];
    let found = differences(record, &today);
    assert_eq!(&found[..3], expected);
    assert_eq!(&found[3..], ["not recorded: B v1", "not recorded: D v3"]);
}
