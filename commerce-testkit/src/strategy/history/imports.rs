//! Histories of what was taken over from other shops.

use commerce_core::imports::{
    ImportNote, ImportedReturn, ImportedReturnCommand, NoteCommand, NoteRecord, ReturnPiece, ReturnRecord,
    ReturnedLine, SkipReason, SkippedLine,
};
use commerce_core::value::Currency;
use proptest::collection::vec;
use proptest::prelude::{BoxedStrategy, Strategy, any};
use proptest::sample::select;

use super::{Storied, code, few, name, nth, sku, soon, units};

fn note() -> BoxedStrategy<NoteCommand> {
    let reasons = vec![
        SkipReason::Malformed,
        SkipReason::NegativePrice,
        SkipReason::NegativeQuantity,
        SkipReason::ZeroPrice,
    ];
    let skipped = (any::<u64>(), select(reasons)).prop_map(|(row, reason)| SkippedLine {
        row,
        reason,
        code: None,
        description: None,
        quantity: Some(-1),
        unit_micros: Some(0),
        at: None,
        customer: None,
    });
    (code(), vec(skipped, 0..3))
        .prop_map(|(key, skipped)| NoteCommand::Import {
            record: NoteRecord { key, invoice: None, skipped, odd: Vec::new() },
        })
        .boxed()
}

impl Storied for ImportNote {
    fn begins() -> BoxedStrategy<NoteCommand> {
        note()
    }

    fn continues() -> BoxedStrategy<NoteCommand> {
        note()
    }
}

fn returned() -> BoxedStrategy<ImportedReturnCommand> {
    let line = (sku(), name(), units(), any::<bool>(), few()).prop_map(|(sku, name, units, linked, line)| {
        let piece = ReturnPiece { order: nth(0), line, quantity: units };
        let pieces = if linked { vec![piece] } else { Vec::new() };
        ReturnedLine { sku, name, quantity: -i64::from(units.get()), unit_micros: 10_000, pieces }
    });
    (code(), soon(), vec(line, 0..3))
        .prop_map(|(number, returned_at, lines)| ImportedReturnCommand::Import {
            record: ReturnRecord {
                number,
                customer: None,
                subject: nth(0),
                currency: Currency::EUR,
                returned_at,
                lines,
            },
        })
        .boxed()
}

impl Storied for ImportedReturn {
    fn begins() -> BoxedStrategy<ImportedReturnCommand> {
        returned()
    }

    fn continues() -> BoxedStrategy<ImportedReturnCommand> {
        returned()
    }
}
