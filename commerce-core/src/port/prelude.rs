//! What a store is written in, in one `use`: the port and all that goes through it.

pub use super::store::{Capabilities, Due, DueQuery, LogQuery, MAX_PAGE, Opening, Page, Row, Store, Table};
pub use crate::kernel::commit::{Commit, Load, Loaded, LoadedStream, MAX_DIRECTORY, Receipt, Snapshot};
pub use crate::kernel::error::{CommitError, Effect, PortError, PortErrorKind};
pub use crate::kernel::event::{NewEvent, RecordedEvent};
pub use crate::kernel::mark::{Handled, Mark, MarkKey};
pub use crate::kernel::pool::{PoolKey, PoolLevel, PoolMove, apply_moves};
pub use crate::kernel::stream::{Position, StreamId, Version};
pub use crate::kernel::timer::{DueTimer, LeaseToken, TimerKey, TimerWrite};
pub use crate::kernel::unique::{Key, UniqueKey};
pub use crate::value::id::SubjectId;
pub use crate::value::time::Timestamp;
