//! What an import had to leave aside.

use serde::{Deserialize, Serialize};

use super::ImportRecordError;
use super::record::NoteRecord;
use crate::event_types;
use crate::kernel::aggregate::{Aggregate, Command, EvolveError, Permission};
use crate::value::time::Timestamp;

/// A note on what orders and returns have no place for. Nothing happens to it any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportNote {
    record: NoteRecord,
}

impl ImportNote {
    /// What was left aside.
    pub const fn record(&self) -> &NoteRecord {
        &self.record
    }
}

/// Asks something of a note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum NoteCommand {
    /// Writes it down.
    Import {
        /// What it says.
        record: NoteRecord,
    },
}

impl Command for NoteCommand {
    type Target = ImportNote;

    fn permission(&self) -> Permission {
        Permission::new("order", "import")
    }
}

/// A fact about a note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoteEvent {
    /// It was written down.
    Noted {
        /// What it says.
        record: NoteRecord,
    },
}

event_types! { NoteEvent { Noted => "ImportNoted" v1 } }

impl Aggregate for ImportNote {
    const NAME: &'static str = "import_note";
    const SNAPSHOT_EVERY: u64 = 0;
    type Root = Self;
    type Command = NoteCommand;
    type Event = NoteEvent;
    type Error = ImportRecordError;

    fn decide(
        state: Option<&Self>,
        command: NoteCommand,
        _now: Timestamp,
    ) -> Result<Vec<NoteEvent>, ImportRecordError> {
        let NoteCommand::Import { record } = command;
        if record.skipped.is_empty() && record.odd.is_empty() {
            return Err(ImportRecordError::Empty);
        }
        match state {
            None => Ok(vec![NoteEvent::Noted { record }]),
            Some(known) if known.record == record => Ok(Vec::new()),
            Some(_) => Err(ImportRecordError::AlreadyImported),
        }
    }

    fn evolve(state: Option<Self>, event: &NoteEvent) -> Result<Self, EvolveError> {
        let NoteEvent::Noted { record } = event;
        match state {
            None => Ok(Self { record: record.clone() }),
            Some(_) => Err(EvolveError::of(event)),
        }
    }
}
