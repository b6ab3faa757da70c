//! Everything that can grow has a bound: what is at it is taken, what is one beyond is refused by name.
#![allow(clippy::unwrap_used, clippy::panic)] // a failing step is a failing test

use std::time::Duration;

use commerce_core::catalog::{CategoryCommand, CategoryError, CategoryTree};
use commerce_core::inventory::{Reservation, ReservationCommand, ReservationError, ReservedLine};
use commerce_core::kernel::aggregate::Aggregate;
use commerce_core::kernel::personal::Personal;
use commerce_core::kernel::replay::fold;
use commerce_core::returns::{RequestedLine, Return, ReturnCommand, ReturnError};
use commerce_core::settings::{SettingsCommand, SettingsError, SettingsValues, ShopSettings};
use commerce_core::shipping::{Shipment, ShipmentCommand, ShipmentError, ShipmentLine};
use commerce_core::value::id::CategoryId;
use commerce_core::value::{Name, Quantity, Reason, Sku, Slug};
use commerce_testkit::fake::START;
use commerce_testkit::shop::Shop;
use commerce_tests::world::id;

fn sku() -> Sku {
    Sku::new("MUG").unwrap()
}

fn one() -> Quantity {
    Quantity::new(1).unwrap()
}

fn begins<A: Aggregate>(command: A::Command) -> Result<Vec<A::Event>, A::Error> {
    A::decide(None, command, START)
}

#[test]
fn a_reservation_has_so_many_lines() {
    let hold = |lines: usize| {
        let line = |_| ReservedLine { sku: sku(), location: id("north"), quantity: one() };
        let end = START.plus(Duration::from_secs(60));
        begins::<Reservation>(ReservationCommand::Hold {
            checkout: id("checkout"),
            lines: (0..lines).map(line).collect(),
            expires_at: end,
            extendable_until: end,
        })
    };
    let Err(ReservationError::TooManyLines { max }) = hold(100_000) else { panic!("no bound") };
    assert!(hold(max).is_ok() && hold(1).is_ok());
    assert_eq!(hold(max + 1), Err(ReservationError::TooManyLines { max }));
    assert_eq!(hold(0), Err(ReservationError::Empty));
}

#[test]
fn a_return_has_so_many_lines() {
    let request = |lines: usize| {
        let line = |number: usize| RequestedLine {
            line: id(&format!("line {number}")),
            quantity: one(),
            returnable: 1,
            reason: Reason::new("because").unwrap(),
        };
        begins::<Return>(ReturnCommand::Request {
            order: id("order"),
            subject: id("buyer"),
            lines: (0..lines).map(line).collect(),
            window_ends: None,
        })
    };
    let Err(ReturnError::TooManyLines { max }) = request(100_000) else { panic!("no bound") };
    assert!(request(max).is_ok());
    assert_eq!(request(max + 1), Err(ReturnError::TooManyLines { max }));
}

#[test]
fn a_parcel_has_so_many_lines() {
    let create = |lines: usize| {
        let line = |number: usize| ShipmentLine {
            order_line: id(&format!("line {number}")),
            reservation_line: u32::try_from(number).ok(),
            sku: sku(),
            quantity: one(),
        };
        begins::<Shipment>(ShipmentCommand::Create {
            order: id("order"),
            lines: (0..lines).map(line).collect(),
            reservation: id("reservation"),
            location: id("north"),
            address: Personal::new(id("buyer"), Shop::contact(1).1),
        })
    };
    let Err(ShipmentError::TooManyLines { max }) = create(100_000) else { panic!("no bound") };
    assert!(create(max).is_ok());
    assert_eq!(create(max + 1), Err(ShipmentError::TooManyLines { max }));
}

/// A chain of categories, each below the one before; and how deep it got.
fn chain(state: &mut Option<CategoryTree>, name: &str, most: usize) -> (usize, Option<CategoryError>) {
    let mut parent: Option<CategoryId> = None;
    for level in 0..most {
        let category = id(&format!("{name} {level}"));
        let create = CategoryCommand::Create {
            category,
            name: Name::new(name).unwrap(),
            slug: Slug::new(&format!("{name}-{level}")).unwrap(),
            parent,
            sort: 0,
        };
        match CategoryTree::decide(state.as_ref(), create, START) {
            Ok(events) => *state = fold(state.take(), &events).unwrap(),
            Err(error) => return (level, Some(error)),
        }
        parent = Some(category);
    }
    (most, None)
}

#[test]
fn a_tree_of_categories_has_so_many_levels_however_it_grows() {
    let mut tree = None;
    let (deepest, refused) = chain(&mut tree, "shoes", 100);
    let Some(CategoryError::TooDeep { max }) = refused else { panic!("no bound") };
    assert_eq!(deepest, max);
    // What is moved brings its own levels along.
    let (two, _) = chain(&mut tree, "boots", 2);
    assert_eq!(two, 2);
    let below = |level: usize| CategoryCommand::Move {
        category: id("boots 0"),
        parent: Some(id(&format!("shoes {level}"))),
        sort: 0,
    };
    let mut moved = |level| {
        let events = CategoryTree::decide(tree.as_ref(), below(level), START)?;
        tree = fold(tree.take(), &events).unwrap();
        Ok::<bool, CategoryError>(!events.is_empty())
    };
    assert_eq!(moved(max - 2), Err(CategoryError::TooDeep { max }));
    assert_eq!(moved(max - 3), Ok(true));
    assert_eq!(moved(max - 3), Ok(false), "it stands there already");
}

#[test]
fn an_order_prefix_is_short_and_plain() {
    let update = |prefix: &str| {
        let values = SettingsValues { order_prefix: prefix.into(), ..SettingsValues::default() };
        begins::<ShopSettings>(SettingsCommand::Update { values: Box::new(values) })
    };
    assert!(update("A-1").is_ok() && update(&"A".repeat(20)).is_ok());
    for refused in ["A".repeat(21), "A B".to_owned(), "Ä".to_owned(), "A_B".to_owned()] {
        assert_eq!(update(&refused), Err(SettingsError::BadPrefix), "{refused}");
    }
}
