//! Commits: made ready in the caller's task, applied many per call, each with its own result.

mod apply;
mod columns;
mod fill;
mod keys;
mod lock;
mod prepared;
mod queue;
mod single;

pub(crate) use apply::{apply, handled_of, position_of, statement};
pub(crate) use keys::{parse_key, parse_mark, parse_timer};
pub(crate) use lock::Locks;
pub(crate) use prepared::Prepared;
pub(crate) use queue::Queue;
pub(crate) use single::Applier;
