//! The store: five primitives and the event log.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::kernel::commit::{Commit, Load, Loaded, Receipt};
use crate::kernel::error::{CommitError, PortError};
use crate::kernel::event::RecordedEvent;
use crate::kernel::mark::{Handled, MarkKey};
use crate::kernel::pool::{PoolKey, PoolLevel};
use crate::kernel::rebuild::OpeningEntry;
use crate::kernel::stream::{Label, Position, Slice, StreamId, Version};
use crate::kernel::timer::{DueTimer, TimerKey};
use crate::kernel::unique::UniqueKey;
use crate::value::time::Timestamp;

/// The most events that one page of the log holds.
pub const MAX_PAGE: u32 = 1000;

/// What a store can do beyond the contract, or only in part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// What was committed survives the end of the process.
    pub durable: bool,
    /// Several processes may use it at once.
    pub shared: bool,
}

/// Asks for a stretch of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogQuery {
    /// Only events behind this position.
    pub after: Position,
    /// At most this many, up to [`MAX_PAGE`].
    pub limit: u32,
    /// Only events of these streams.
    pub slice: Slice,
}

impl LogQuery {
    /// The events of all streams behind a position.
    pub const fn after(after: Position, limit: u32) -> Self {
        Self { after, limit, slice: Slice::ALL }
    }

    /// Only those of one slice of the streams.
    #[must_use]
    pub const fn within(mut self, slice: Slice) -> Self {
        self.slice = slice;
        self
    }
}

/// A stretch of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// In the order of the log.
    pub events: Vec<Arc<RecordedEvent>>,
    /// Where to read on; behind events of other slices too, once they were passed over.
    pub next: Position,
}

/// Asks for due timers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueQuery {
    /// Only timers of streams of these kinds; all where empty.
    pub kinds: Vec<Label>,
    /// At most this many.
    pub limit: u32,
    /// How long they are leased.
    pub lease: Duration,
}

/// Due timers and the time by which they were judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The store's clock.
    pub now: Timestamp,
    /// Leased to the caller, earliest first.
    pub timers: Vec<DueTimer>,
    /// When the next timer of these kinds is due that was not given out.
    pub next: Option<Timestamp>,
}

/// One of the tables that can be rebuilt from the log, and the marks beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Table {
    /// Unique keys.
    Keys,
    /// Pools.
    Pools,
    /// Timers.
    Timers,
    /// Marks.
    Marks,
}

/// A row of a [`Table`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// A unique key.
    Key(UniqueKey),
    /// A pool.
    Pool(PoolKey, PoolLevel),
    /// A timer and when it is due.
    Timer(TimerKey, Timestamp),
    /// A mark.
    Mark(MarkKey, Handled),
}

impl Row {
    /// The text of its key, by which a scan goes on behind it.
    pub fn text(&self) -> String {
        match self {
            Self::Key(owned) => owned.key.to_string(),
            Self::Pool(pool, _) => pool.to_string(),
            Self::Timer(key, _) => key.to_string(),
            Self::Mark(key, _) => key.to_string(),
        }
    }
}

/// What a log begins with, where events before it were archived.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Opening {
    /// Behind the last archived event.
    pub position: Position,
    /// What the archived events left.
    pub entries: Vec<OpeningEntry>,
}

/// Keeps streams, unique keys, pools, timers and marks, and gives back the log.
#[async_trait]
pub trait Store: Debug + Send + Sync + 'static {
    /// What this store can do.
    ///
    /// # Contract
    ///
    /// Constant for the life of the store. Selects the checks of the conformance suite.
    fn capabilities(&self) -> Capabilities;

    /// Reads everything that a decision needs.
    ///
    /// # Contract
    ///
    /// One consistent snapshot: no commit is seen in part. Answers come in the order of the questions. A
    /// stream, pool or mark that does not exist is an empty answer, not an error. A snapshot is given
    /// only where its schema is the wanted one and it is later than `after`; the events behind it are
    /// complete. Erased personal values come without content. A directory gives ascending keys, at most
    /// [`MAX_DIRECTORY`](crate::kernel::commit::MAX_DIRECTORY).
    async fn load(&self, load: Load) -> Result<Loaded, PortError>;

    /// Applies a commit, all of it or nothing.
    ///
    /// # Contract
    ///
    /// *Atomic*: no reader and no crash ever sees a part. *Order of refusals*: mark, lease and fence,
    /// version, unique key, pool; within one the smallest key; `Short` lists all short pools, sorted.
    /// Of a stream that is asserted twice the append is compared first, then the expectations in their order.
    /// A refusal changes nothing. *Streams*: versions are gapless; `Append` and `Expect` compare with the
    /// head. *Keys*: the net of release and claim counts; taking a key one owns succeeds; giving up
    /// another's or a free key does nothing. *Pools*: the moves of a commit are summed per pool before
    /// the guards. *Timers*: in order, the last write of a key counts; setting clears its lease. *Marks*:
    /// the same key with an agreeing fingerprint is `AlreadyHandled`, with another `KeyReused`.
    /// *Erasure*: values of the subject lose their content at once, also those that come later; the
    /// subject's personal keys are freed; snapshots of streams with values of the subject go.
    /// *Idempotency*: the same commit with the same mark has its effect once; without a mark, repeating
    /// it is `Stale`. *Unknown effect*: resolved by submitting the same commit again.
    async fn commit(&self, commit: Commit) -> Result<Receipt, CommitError>;

    /// Reads the log behind a position.
    ///
    /// # Contract
    ///
    /// Never skips an event, also while a slow commit is still under way, and keeps the order within
    /// every stream. The events of one commit stand together, its appends in their order. Only events of
    /// streams in the slice are given; at most `limit` and at most [`MAX_PAGE`]. An empty page means that
    /// the end was reached. Reading on from `next` sees every later event of the slice once.
    async fn read_all(&self, query: LogQuery) -> Result<Page, PortError>;

    /// Reads a stream behind a version.
    ///
    /// # Contract
    ///
    /// In order, without gaps, at most `limit` and at most [`MAX_PAGE`]. An unknown stream is empty.
    async fn read_stream(
        &self,
        stream: &StreamId,
        after: Version,
        limit: u32,
    ) -> Result<Vec<Arc<RecordedEvent>>, PortError>;

    /// Leases due timers to the caller.
    ///
    /// # Contract
    ///
    /// Judged by the store's clock, whose time is returned. A timer leased to one caller is given to
    /// nobody else until the lease ends; then it is given out again under another token. Earliest first.
    /// Nothing is removed: a timer ends by the commit that handles it.
    async fn due(&self, query: DueQuery) -> Result<Due, PortError>;

    /// Reads a table behind a row's key, for audits and checks.
    ///
    /// # Contract
    ///
    /// Ascending by the text of the key (`Display`), at most `limit` and at most [`MAX_PAGE`]; an empty
    /// page means that the end was reached.
    async fn scan(&self, table: Table, after: Option<&str>, limit: u32) -> Result<Vec<Row>, PortError>;

    /// Reads what archived events left, behind an entry's key.
    ///
    /// # Contract
    ///
    /// Of [`Table::Keys`], [`Table::Pools`] or [`Table::Timers`], ascending by the text of the key, at most
    /// `limit` and at most [`MAX_PAGE`]; none for [`Table::Marks`], which no log gives. With the events behind
    /// `position` they say what the whole log says. A store that keeps all of its events need not have this
    /// method: nothing stands before the start of its log.
    async fn opening(&self, table: Table, after: Option<&str>, limit: u32) -> Result<Opening, PortError> {
        let _ = (table, after, limit);
        Ok(Opening::default())
    }
}
