//! History that was taken over from another shop, as far as orders have no place for it.
//!
//! What was sold becomes an order of its own kind (`OrderImported`). What came back becomes an
//! [`ImportedReturn`], linked to the order lines that it undoes where they are known. Whatever is neither,
//! and whatever an order cannot say of one of its lines, is kept in an [`ImportNote`]: nothing that was read
//! is dropped. None of this moves stock or money, or notifies anybody.
//!
//! # Invariants
//!
//! - `imports_1` a record is taken over once; the same record again changes nothing, another under the same
//!   number is refused;
//! - `imports_2` the pieces of a return line come to the units that came back, or there are none;
//! - `imports_3` a [`ReturnMatcher`] never gives a sold unit to two returns.

pub mod ids;
pub mod matching;
pub mod note;
pub mod record;
pub mod returns;
#[cfg(test)]
mod tests;

pub use ids::{customer_id, note_id, order_id, order_line_id, product_id, return_id};
pub use matching::ReturnMatcher;
pub use note::{ImportNote, NoteCommand, NoteEvent};
pub use record::{NoteRecord, OddLine, ReturnPiece, ReturnRecord, ReturnedLine, SkipReason, SkippedLine};
pub use returns::{ImportedReturn, ImportedReturnCommand, ImportedReturnEvent};

/// Why a record is not taken over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportRecordError {
    /// There is nothing in it.
    #[error("a record needs at least one line")]
    Empty,
    /// The pieces of a line do not come to the units that came back.
    #[error("the pieces of line {line} are not the units that came back")]
    Pieces {
        /// The line's number, from 0.
        line: usize,
    },
    /// Another record was taken over under this number.
    #[error("another record was imported under this number")]
    AlreadyImported,
}
