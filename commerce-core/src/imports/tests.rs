//! Tests of what is taken over.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::history::{at, drive, id};
use crate::value::id::OrderLineId;
use crate::value::{Code, Currency, Name, Quantity, Sku};

fn line(quantity: i64, pieces: &[u32]) -> ReturnedLine {
    let piece = |(index, units): (usize, &u32)| ReturnPiece {
        order: id(7),
        line: order_line_id(id(7), index),
        quantity: Quantity::new(*units).unwrap(),
    };
    ReturnedLine {
        sku: Sku::new("22386").unwrap(),
        name: Name::new("JUMBO BAG").unwrap(),
        quantity,
        unit_micros: 1_950_000,
        pieces: pieces.iter().enumerate().map(piece).collect(),
    }
}

fn record(lines: Vec<ReturnedLine>) -> ReturnRecord {
    ReturnRecord {
        number: Code::new("C540001").unwrap(),
        customer: None,
        subject: id(3),
        currency: Currency::GBP,
        returned_at: at(1),
        lines,
    }
}

fn note(row: u64) -> NoteRecord {
    let skipped = SkippedLine {
        row,
        reason: SkipReason::ZeroPrice,
        code: None,
        description: None,
        quantity: Some(3),
        unit_micros: Some(0),
        at: None,
        customer: None,
    };
    NoteRecord { key: Code::new("540002").unwrap(), invoice: None, skipped: vec![skipped], odd: Vec::new() }
}

#[test]
fn imports_1_a_record_is_taken_over_once() {
    let import = |lines| ImportedReturnCommand::Import { record: record(lines) };
    let commands = [import(vec![line(-2, &[])]), import(vec![line(-2, &[])]), import(vec![line(-3, &[])])];
    let mut outcomes = Vec::new();
    let events = drive::<ImportedReturn>(commands.map(|command| (at(9), command)), |step| {
        outcomes.push(step.outcome.as_ref().map(Vec::len).map_err(Clone::clone));
    });
    assert_eq!(outcomes, [Ok(1), Ok(0), Err(ImportRecordError::AlreadyImported)]);
    assert_eq!(events.len(), 1);

    let commands = [1, 1, 2].map(|row| (at(9), NoteCommand::Import { record: note(row) }));
    let mut outcomes = Vec::new();
    drive::<ImportNote>(commands, |step| {
        outcomes.push(step.outcome.as_ref().map(Vec::len).map_err(Clone::clone));
    });
    assert_eq!(outcomes, [Ok(1), Ok(0), Err(ImportRecordError::AlreadyImported)]);
}

#[test]
fn imports_2_pieces_come_to_the_units() {
    let decide = |lines| {
        use crate::kernel::aggregate::Aggregate;
        ImportedReturn::decide(None, ImportedReturnCommand::Import { record: record(lines) }, at(9)).map(drop)
    };
    assert_eq!(decide(Vec::new()), Err(ImportRecordError::Empty));
    assert_eq!(decide(vec![line(-3, &[2, 1]), line(5, &[])]), Ok(()));
    assert_eq!(decide(vec![line(-3, &[2, 1]), line(-3, &[2])]), Err(ImportRecordError::Pieces { line: 1 }));
    assert_eq!(decide(vec![line(3, &[3])]), Err(ImportRecordError::Pieces { line: 0 }));
}

#[test]
fn matching_takes_the_newest_first_and_all_or_nothing() {
    let (customer, sku) = (customer_id("17850"), Sku::new("85123a").unwrap());
    let mut matcher = ReturnMatcher::default();
    let order = order_id("1");
    let lines: Vec<OrderLineId> = (0..2).map(|index| order_line_id(order, index)).collect();
    matcher.sold(customer, &sku, order, lines[0], Quantity::new(5).unwrap());
    matcher.sold(customer, &sku, order, lines[1], Quantity::new(2).unwrap());
    assert!(matcher.returned(customer, &sku, 8).is_empty());
    assert!(matcher.returned(customer_id("2"), &sku, 1).is_empty());
    let taken = |pieces: Vec<ReturnPiece>| -> Vec<_> {
        pieces.into_iter().map(|piece| (piece.line, piece.quantity.get())).collect()
    };
    assert_eq!(taken(matcher.returned(customer, &sku, 3)), [(lines[1], 2), (lines[0], 1)]);
    assert_eq!(taken(matcher.returned(customer, &sku, 4)), [(lines[0], 4)]);
    assert!(matcher.returned(customer, &sku, 1).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// imports-3: what is given to returns never exceeds what was sold, on every line.
    #[test]
    fn imports_3_no_unit_comes_back_twice(steps in prop::collection::vec((any::<bool>(), 0..2_u8, 1..20_u32), 1..60)) {
        let sku = Sku::new("22386").unwrap();
        let mut matcher = ReturnMatcher::default();
        let mut left: HashMap<OrderLineId, u32> = HashMap::new();
        for (index, (sale, customer, units)) in steps.into_iter().enumerate() {
            let customer = customer_id(&customer.to_string());
            if sale {
                let line = order_line_id(order_id("1"), index);
                matcher.sold(customer, &sku, order_id("1"), line, Quantity::new(units).unwrap());
                left.insert(line, units);
                continue;
            }
            let pieces = matcher.returned(customer, &sku, units.into());
            let sum: u32 = pieces.iter().map(|piece| piece.quantity.get()).sum();
            prop_assert!(pieces.is_empty() || sum == units);
            for piece in pieces {
                let open = left.get_mut(&piece.line).unwrap();
                prop_assert!(*open >= piece.quantity.get());
                *open -= piece.quantity.get();
            }
        }
    }
}

#[test]
fn importing_asks_for_permissions_of_its_own() {
    use crate::kernel::aggregate::{Command, Permission};
    let record = ImportedReturnCommand::Import { record: record(vec![line(-1, &[])]) };
    assert_eq!(record.permission(), Permission::new("return", "import"));
    let note = NoteCommand::Import { record: note(1) };
    assert_eq!(note.permission(), Permission::new("order", "import"));
}
