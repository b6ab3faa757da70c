//! How far whoever follows the log is behind.

use std::time::Duration;

use super::commerce::Commerce;
use crate::kernel::aggregate::Aggregate;
use crate::kernel::error::PortError;
use crate::kernel::stream::{Position, Slice};
use crate::messaging::ConsumerProgress;
use crate::port::observer::Behind;
use crate::port::store::{LogQuery, MAX_PAGE};

/// The most events that are counted.
const MAX_LAG: u64 = 1_000_000;

/// How far a consumer or a projector is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// Events of its slice that it has not read, the bookkeeping of consumers left out.
    pub events: u64,
    /// Whether there are more than were counted.
    pub more: bool,
}

impl Lag {
    /// As it is signalled.
    pub(super) fn behind(self) -> Behind {
        let age = (self.events == 0).then_some(Duration::ZERO);
        Behind { events: Some(self.events), age }
    }
}

impl Commerce {
    /// How many events of a slice stand behind a position.
    pub(super) async fn lag_behind(&self, mut after: Position, slice: Slice) -> Result<Lag, PortError> {
        let mut events = 0_u64;
        while events < MAX_LAG {
            let page = self.store().read_all(LogQuery::after(after, MAX_PAGE).within(slice)).await?;
            if page.events.is_empty() {
                return Ok(Lag { events, more: false });
            }
            let others = page.events.iter().filter(|event| event.stream.kind != ConsumerProgress::NAME);
            events = events.saturating_add(others.count() as u64);
            after = page.next;
        }
        Ok(Lag { events, more: true })
    }
}
