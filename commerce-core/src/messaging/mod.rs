//! What consumers of the log have done: how far they have read, what keeps them from a stream, and the
//! messages that they could not handle.
//!
//! A consumer handles the events of every stream in order. A message that fails blocks its own stream for
//! this consumer and nothing else; it is tried again after pauses, and then put aside as a dead letter, from
//! where it can be delivered again by the same path. Here are the decisions; `app::consumer` runs them.
//!
//! # Invariants
//!
//! - `patterns_4` the effect of a message happens once for each consumer and generation;
//! - `patterns_6` a dead letter keeps message, error, attempts, first and last time, and goes only when its
//!   time is over.

pub mod backlog;
pub mod dead_letter;
pub mod inbox;
pub mod message;
pub mod progress;

pub use backlog::{Backlog, BacklogCommand, BacklogEvent};
pub use dead_letter::{DeadLetter, DeadLetterCommand, DeadLetterEvent, DeadLetterStatus};
pub use inbox::{Inbox, InboxCommand, InboxEvent, Place};
pub use message::{ConsumerName, MessageRef, Reader};
pub use progress::{ConsumerProgress, ProgressCommand, ProgressEvent};
