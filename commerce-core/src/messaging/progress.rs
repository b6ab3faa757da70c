//! How far a consumer has read a slice of the log.

use serde::{Deserialize, Serialize};

use super::message::Reader;
use crate::event_types;
use crate::kernel::aggregate::{Aggregate, Command, EvolveError, Permission};
use crate::kernel::stream::{Position, Slice};
use crate::value::id::Id;
use crate::value::time::Timestamp;

/// How far a consumer has read a slice of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsumerProgress {
    position: Position,
}

impl ConsumerProgress {
    /// The progress of a reader in a slice.
    pub fn id_of(reader: &Reader, slice: Slice) -> Id<Self> {
        reader.derive(0x90a2_a171_0000_5000_8000_0000_0000_0011, &slice.to_string())
    }

    /// Everything up to here was handled, or is kept in a backlog.
    pub const fn position(&self) -> Position {
        self.position
    }
}

/// Asks something of a consumer's progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum ProgressCommand {
    /// Everything up to here was handled, or is kept in a backlog. Going back is a no-op.
    Advance {
        /// Where.
        position: Position,
    },
}

impl Command for ProgressCommand {
    type Target = ConsumerProgress;

    fn permission(&self) -> Permission {
        Permission::new("consumer_progress", "advance")
    }

    fn stands_alone(&self) -> bool {
        false
    }
}

/// A fact about a consumer's progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProgressEvent {
    /// It read on.
    Advanced {
        /// Up to here.
        position: Position,
    },
}

event_types! { ProgressEvent { Advanced => "ConsumerAdvanced" v1 } }

/// Progress refuses nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProgressError {}

impl Aggregate for ConsumerProgress {
    const NAME: &'static str = "consumer_progress";
    type Root = Self;
    type Command = ProgressCommand;
    type Event = ProgressEvent;
    type Error = ProgressError;

    fn decide(
        state: Option<&Self>,
        command: ProgressCommand,
        _now: Timestamp,
    ) -> Result<Vec<ProgressEvent>, ProgressError> {
        let ProgressCommand::Advance { position } = command;
        let known = state.map_or(Position::START, |known| known.position);
        Ok(if position > known { vec![ProgressEvent::Advanced { position }] } else { Vec::new() })
    }

    fn evolve(_state: Option<Self>, event: &ProgressEvent) -> Result<Self, EvolveError> {
        let ProgressEvent::Advanced { position } = event;
        Ok(Self { position: *position })
    }
}
