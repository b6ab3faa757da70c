//! Goods that come back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::command::ReturnCommand;
use super::error::ReturnError;
use super::event::{Resolution, ReturnEvent};
use super::state::{Line, Status};
use super::{decide, evolve};
use crate::kernel::aggregate::{Aggregate, EvolveError};
use crate::kernel::effects::Effects;
use crate::value::Code;
use crate::value::actor::Owner;
use crate::value::id::{Id, OrderId, OrderLineId, SubjectId, marker};
use crate::value::time::Timestamp;

/// The name of the timer that ends an approval.
pub const EXPIRY: &str = "expiry";
/// The scope of the numbers under which goods are sent back.
pub const NUMBER_SCOPE: &str = "return-number";
/// The most lines of one return.
pub const MAX_LINES: usize = 10_000;

/// Goods of one order that come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Return {
    pub(super) order: OrderId,
    pub(super) subject: SubjectId,
    pub(super) status: Status,
    pub(super) lines: BTreeMap<OrderLineId, Line>,
    pub(super) number: Option<Code>,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) resolution: Option<Resolution>,
}

impl Return {
    /// Of which order.
    pub const fn order(&self) -> OrderId {
        self.order
    }

    /// Who bought the goods.
    pub const fn subject(&self) -> SubjectId {
        self.subject
    }

    /// Where it stands.
    pub const fn status(&self) -> Status {
        self.status
    }

    /// Its lines and their counts, in the order of the ids.
    pub fn lines(&self) -> impl ExactSizeIterator<Item = (OrderLineId, &Line)> {
        self.lines.iter().map(|(id, line)| (*id, line))
    }

    /// How many units of each line count as being in this return: nobody else may want to return them.
    pub fn bound(&self) -> impl Iterator<Item = (OrderLineId, u32)> {
        let status = self.status;
        self.lines.iter().map(move |(id, line)| {
            let units = match status {
                Status::Requested => line.requested,
                Status::Approved | Status::InTransit | Status::PartiallyReceived => line.approved,
                Status::Received | Status::Inspected | Status::Resolved | Status::Closed => line.received,
                Status::Rejected | Status::Cancelled | Status::Expired => 0,
            };
            (*id, units)
        })
    }

    /// The number under which the goods are sent.
    pub const fn number(&self) -> Option<&Code> {
        self.number.as_ref()
    }

    /// When the approval ends if nothing was sent.
    pub const fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// What the buyer gets.
    pub const fn resolution(&self) -> Option<&Resolution> {
        self.resolution.as_ref()
    }
}

impl Aggregate for Return {
    const NAME: &'static str = "return";
    type Root = marker::Return;
    type Command = ReturnCommand;
    type Event = ReturnEvent;
    type Error = ReturnError;

    fn decide(
        state: Option<&Self>,
        command: ReturnCommand,
        now: Timestamp,
    ) -> Result<Vec<ReturnEvent>, ReturnError> {
        decide::decide(state, command, now)
    }

    fn evolve(state: Option<Self>, event: &ReturnEvent) -> Result<Self, EvolveError> {
        evolve::evolve(state, event)
    }

    fn effects(_id: Id<marker::Return>, event: &ReturnEvent) -> Effects {
        use ReturnEvent as E;
        match event {
            E::Approved { number, expires_at, .. } => {
                Effects::none().claim(NUMBER_SCOPE, number.as_str()).timer(EXPIRY, *expires_at)
            }
            E::Expired | E::InTransit | E::Counted { .. } => Effects::none().cancel_timer(EXPIRY),
            E::Requested { .. }
            | E::Rejected { .. }
            | E::Cancelled
            | E::Received { .. }
            | E::Inspected { .. }
            | E::Resolved { .. }
            | E::Closed => Effects::none(),
        }
    }

    fn owner(&self) -> Owner {
        Owner::Subject(self.subject)
    }
}
