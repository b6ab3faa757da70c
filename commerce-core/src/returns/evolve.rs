//! What an event makes of a return.

use super::event::{RequestedLine, ReturnEvent};
use super::goods_return::Return;
use super::state::{Line, Status};
use crate::kernel::aggregate::EvolveError;
use crate::value::id::OrderLineId;

pub(super) fn evolve(state: Option<Return>, event: &ReturnEvent) -> Result<Return, EvolveError> {
    let unfit = || EvolveError::of(event);
    match (state, event) {
        (None, ReturnEvent::Requested { order, subject, lines }) => Ok(Return {
            order: *order,
            subject: *subject,
            status: Status::Requested,
            lines: lines.iter().map(|line| (line.line, requested(line))).collect(),
            number: None,
            expires_at: None,
            resolution: None,
        }),
        (None, _) => Err(unfit()),
        (Some(mut known), event) => known.apply(event).map(|()| known).ok_or_else(unfit),
    }
}

fn requested(line: &RequestedLine) -> Line {
    Line {
        returnable: line.returnable,
        requested: line.quantity.get(),
        reason: line.reason.clone(),
        approved: 0,
        received: 0,
        wrong: 0,
        restocked: 0,
        damaged: 0,
        rejected: 0,
    }
}

impl Return {
    fn line(&mut self, id: OrderLineId) -> Option<&mut Line> {
        self.lines.get_mut(&id)
    }

    /// `None` where the event does not fit.
    fn apply(&mut self, event: &ReturnEvent) -> Option<()> {
        use ReturnEvent as E;
        match event {
            E::Requested { .. } => return None,
            E::Approved { number, lines, expires_at } => {
                for one in lines {
                    self.line(one.line)?.approved = one.quantity.get();
                }
                self.number = Some(number.clone());
                self.expires_at = Some(*expires_at);
                self.status = Status::Approved;
            }
            E::Rejected { .. } => self.status = Status::Rejected,
            E::Cancelled => self.status = Status::Cancelled,
            E::Expired => self.status = Status::Expired,
            E::InTransit => self.status = Status::InTransit,
            E::Counted { counts } => {
                for one in counts {
                    let line = self.line(one.line)?;
                    line.received = line.received.checked_add(one.received)?;
                    line.wrong = line.wrong.checked_add(one.wrong)?;
                }
                self.status = Status::PartiallyReceived;
            }
            E::Received { .. } => self.status = Status::Received,
            E::Inspected { lines } => {
                for one in lines {
                    let line = self.line(one.line)?;
                    (line.restocked, line.damaged, line.rejected) =
                        (one.restocked, one.damaged, one.rejected);
                }
                self.status = Status::Inspected;
            }
            E::Resolved { resolution, .. } => {
                self.resolution = Some(resolution.clone());
                self.status = Status::Resolved;
            }
            E::Closed => self.status = Status::Closed,
        }
        Some(())
    }
}
