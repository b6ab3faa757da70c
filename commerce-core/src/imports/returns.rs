//! A return of another shop.

use serde::{Deserialize, Serialize};

use super::ImportRecordError;
use super::record::ReturnRecord;
use crate::event_types;
use crate::kernel::aggregate::{Aggregate, Command, EvolveError, Permission};
use crate::kernel::effects::Effects;
use crate::value::actor::Owner;
use crate::value::id::{Id, marker};
use crate::value::time::Timestamp;

/// The scope of the numbers of imported returns.
pub const NUMBER_SCOPE: &str = "return-number";

/// A return that was taken over. Nothing happens to it any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedReturn {
    record: ReturnRecord,
}

impl ImportedReturn {
    /// What was taken over.
    pub const fn record(&self) -> &ReturnRecord {
        &self.record
    }
}

/// Asks something of an imported return.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum ImportedReturnCommand {
    /// Takes it over.
    Import {
        /// What it says.
        record: ReturnRecord,
    },
}

impl Command for ImportedReturnCommand {
    type Target = ImportedReturn;

    fn permission(&self) -> Permission {
        Permission::new("return", "import")
    }
}

/// A fact about an imported return.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ImportedReturnEvent {
    /// It was taken over.
    Imported {
        /// What it says.
        record: ReturnRecord,
    },
}

event_types! { ImportedReturnEvent { Imported => "ReturnImported" v1 } }

fn check(record: &ReturnRecord) -> Result<(), ImportRecordError> {
    if record.lines.is_empty() {
        return Err(ImportRecordError::Empty);
    }
    let fits = |line: &super::ReturnedLine| {
        let units: i64 = line.pieces.iter().map(|piece| i64::from(piece.quantity.get())).sum();
        line.pieces.is_empty() || line.quantity.checked_neg() == Some(units)
    };
    match record.lines.iter().position(|line| !fits(line)) {
        Some(line) => Err(ImportRecordError::Pieces { line }),
        None => Ok(()),
    }
}

impl Aggregate for ImportedReturn {
    const NAME: &'static str = "imported_return";
    const SNAPSHOT_EVERY: u64 = 0;
    type Root = marker::Return;
    type Command = ImportedReturnCommand;
    type Event = ImportedReturnEvent;
    type Error = ImportRecordError;

    fn decide(
        state: Option<&Self>,
        command: ImportedReturnCommand,
        _now: Timestamp,
    ) -> Result<Vec<ImportedReturnEvent>, ImportRecordError> {
        let ImportedReturnCommand::Import { record } = command;
        check(&record)?;
        match state {
            None => Ok(vec![ImportedReturnEvent::Imported { record }]),
            Some(known) if known.record == record => Ok(Vec::new()),
            Some(_) => Err(ImportRecordError::AlreadyImported),
        }
    }

    fn evolve(state: Option<Self>, event: &ImportedReturnEvent) -> Result<Self, EvolveError> {
        let ImportedReturnEvent::Imported { record } = event;
        match state {
            None => Ok(Self { record: record.clone() }),
            Some(_) => Err(EvolveError::of(event)),
        }
    }

    fn effects(_id: Id<marker::Return>, event: &ImportedReturnEvent) -> Effects {
        let ImportedReturnEvent::Imported { record } = event;
        Effects::none().claim(NUMBER_SCOPE, record.number.as_str())
    }

    fn owner(&self) -> Owner {
        Owner::Subject(self.record.subject)
    }
}
