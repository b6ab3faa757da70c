//! The storage kernel: five primitives, and the pure machinery between them and the contexts.
//!
//! Streams, unique keys, pools, timers and marks are all that a store knows. A use case
//! [loads](commit::Load) once, decides with pure functions, and hands one [`Commit`](commit::Commit) to
//! the store: a transaction is data.

pub mod aggregate;
pub mod batch;
pub mod check;
pub mod codec;
pub mod commit;
pub mod effects;
pub mod error;
pub mod event;
pub mod mark;
pub mod personal;
pub mod pool;
pub mod rebuild;
pub mod replay;
pub mod stream;
pub mod timer;
pub mod unique;
