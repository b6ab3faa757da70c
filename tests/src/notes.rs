//! Notes that are written, and notes that are copied from them: what was copied can be compared with what was
//! written.

use commerce_core::prelude::*;
use serde::{Deserialize, Serialize};

macro_rules! counted {
    ($aggregate:ident, $event:ident, $command:ident, $kind:literal, $wire:literal) => {
        /// Counts.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub struct $aggregate(pub Vec<u64>);
        /// A number.
        #[derive(Debug, Clone, Serialize, Deserialize)]
        pub enum $event {
            /// One more.
            Written(u64),
        }
        event_types! { $event { Written => $wire v1 } }
        /// Writes a number.
        #[derive(Debug, Clone, Serialize)]
        pub struct $command(pub u64);
        impl Command for $command {
            type Target = $aggregate;
        }
        impl Aggregate for $aggregate {
            const NAME: &'static str = $kind;
            type Root = Self;
            type Command = $command;
            type Event = $event;
            type Error = std::convert::Infallible;

            fn decide(
                _: Option<&Self>,
                command: $command,
                _: Timestamp,
            ) -> Result<Vec<$event>, std::convert::Infallible> {
                Ok(vec![$event::Written(command.0)])
            }
            fn evolve(state: Option<Self>, event: &$event) -> Result<Self, EvolveError> {
                let $event::Written(number) = event;
                let mut numbers = state.map_or_else(Vec::new, |known| known.0);
                numbers.push(*number);
                Ok(Self(numbers))
            }
        }
    };
}
counted!(Note, NoteEvent, Write, "note", "NoteWritten");
counted!(Copied, CopiedEvent, Copy, "copied_note", "NoteCopied");
