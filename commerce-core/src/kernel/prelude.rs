//! What a store is written in, in one `use`: the port and all that goes through it.

pub use super::commit::{Commit, Load, Loaded, LoadedStream, MAX_DIRECTORY, Receipt, Snapshot};
pub use super::error::{CommitError, Effect, PortError, PortErrorKind};
pub use super::event::{NewEvent, RecordedEvent};
pub use super::mark::{Handled, Mark, MarkKey};
pub use super::pool::{PoolKey, PoolLevel, PoolMove, apply_moves};
pub use super::stream::{Position, StreamId, Version};
pub use super::timer::{DueTimer, LeaseToken, TimerKey, TimerWrite};
pub use super::unique::{Key, UniqueKey};
pub use crate::port::store::{Capabilities, Due, DueQuery, LogQuery, MAX_PAGE, Page, Row, Store, Table};
pub use crate::value::id::SubjectId;
pub use crate::value::time::Timestamp;
