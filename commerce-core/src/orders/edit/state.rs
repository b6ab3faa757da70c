//! An edit of an order: decide and evolve.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::command::OrderEditCommand;
use super::error::OrderEditError;
use super::event::{Addition, OrderEditEvent, Proposal};
use crate::kernel::aggregate::{Aggregate, EvolveError};
use crate::value::Quantity;
use crate::value::actor::Owner;
use crate::value::id::{OrderId, OrderLineId, SubjectId, marker};
use crate::value::time::Timestamp;

/// The most changes and additions of one edit.
pub const MAX_CHANGES: usize = 1_000;

/// Where an edit stands (see [`EDIT_TRANSITIONS`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderEditStatus {
    /// Being put together.
    Open,
    /// What would become of the order was computed.
    Previewed,
    /// The buyer was asked.
    Requested,
    /// Made.
    Confirmed,
    /// Not agreed to.
    Declined,
    /// Given up.
    Cancelled,
}

/// From, command, to: the table that the documentation is made from.
pub const EDIT_TRANSITIONS: &[(&str, &str, &str)] = &[
    ("–", "Open", "Open"),
    ("Open", "Preview", "Previewed"),
    ("Previewed", "SetQuantity", "Open"),
    ("Previewed", "AddLine", "Open"),
    ("Previewed", "Preview", "Previewed"),
    ("Previewed", "Request", "Requested"),
    ("Requested", "Confirm", "Confirmed"),
    ("Requested", "Decline", "Declined"),
    ("Open", "Cancel", "Cancelled"),
    ("Previewed", "Cancel", "Cancelled"),
    ("Requested", "Cancel", "Cancelled"),
];

/// Changes of one order that are made together or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderEdit {
    order: OrderId,
    subject: SubjectId,
    revision: u32,
    status: OrderEditStatus,
    wanted: BTreeMap<OrderLineId, u32>,
    additions: Vec<Addition>,
    proposal: Option<Box<Proposal>>,
}

impl OrderEdit {
    /// Of which order.
    pub const fn order(&self) -> OrderId {
        self.order
    }

    /// The revision of the order that it is made on.
    pub const fn revision(&self) -> u32 {
        self.revision
    }

    /// Where it stands.
    pub const fn status(&self) -> OrderEditStatus {
        self.status
    }

    /// How many units are wanted of lines of the order, where that changes.
    pub const fn wanted(&self) -> &BTreeMap<OrderLineId, u32> {
        &self.wanted
    }

    /// What is wanted in addition.
    pub fn additions(&self) -> &[Addition] {
        &self.additions
    }

    /// What was shown last; gone once something else is wanted.
    pub fn proposal(&self) -> Option<&Proposal> {
        self.proposal.as_deref()
    }

    const fn not(&self, command: &'static str) -> OrderEditError {
        OrderEditError::IllegalTransition { status: self.status, command }
    }

    fn changeable(&self) -> Result<(), OrderEditError> {
        match self.status {
            OrderEditStatus::Open | OrderEditStatus::Previewed => Ok(()),
            _ => Err(self.not("be changed")),
        }
    }

    fn set_quantity(&self, line: OrderLineId, wanted: u32) -> Result<Vec<OrderEditEvent>, OrderEditError> {
        self.changeable()?;
        let added = self.additions.iter().find(|addition| addition.line == line);
        let now = added.map(|added| added.quantity.get()).or_else(|| self.wanted.get(&line).copied());
        if now == Some(wanted) {
            return Ok(Vec::new());
        }
        if now.is_none() && self.wanted.len() >= MAX_CHANGES {
            return Err(OrderEditError::TooManyChanges { max: MAX_CHANGES });
        }
        Ok(vec![OrderEditEvent::QuantitySet { line, wanted }])
    }

    fn add(&self, addition: Addition) -> Result<Vec<OrderEditEvent>, OrderEditError> {
        self.changeable()?;
        match self.additions.iter().find(|known| known.line == addition.line) {
            Some(known) if *known == addition => Ok(Vec::new()),
            Some(_) => Err(OrderEditError::LineExists(addition.line)),
            None if self.additions.len() >= MAX_CHANGES => {
                Err(OrderEditError::TooManyChanges { max: MAX_CHANGES })
            }
            None => Ok(vec![OrderEditEvent::LineAdded { addition }]),
        }
    }

    /// The step from one of `from`; nothing when it was made before.
    fn step(
        &self,
        from: &[OrderEditStatus],
        to: OrderEditStatus,
        command: &'static str,
        event: OrderEditEvent,
    ) -> Result<Vec<OrderEditEvent>, OrderEditError> {
        if self.status == to {
            Ok(Vec::new())
        } else if from.contains(&self.status) {
            Ok(vec![event])
        } else {
            Err(self.not(command))
        }
    }

    fn preview(&self, proposal: Box<Proposal>) -> Result<Vec<OrderEditEvent>, OrderEditError> {
        self.changeable()?;
        if self.proposal.as_ref() == Some(&proposal) {
            return Ok(Vec::new());
        }
        Ok(vec![OrderEditEvent::Previewed { proposal }])
    }
}

impl Aggregate for OrderEdit {
    const NAME: &'static str = "order_edit";
    type Root = marker::OrderEdit;
    type Command = OrderEditCommand;
    type Event = OrderEditEvent;
    type Error = OrderEditError;

    fn decide(
        state: Option<&Self>,
        command: OrderEditCommand,
        _now: Timestamp,
    ) -> Result<Vec<OrderEditEvent>, OrderEditError> {
        use OrderEditCommand as C;
        use OrderEditEvent as E;
        use OrderEditStatus as S;
        let Some(edit) = state else {
            let C::Open { order, subject, revision } = command else { return Err(OrderEditError::NotFound) };
            return Ok(vec![E::Opened { order, subject, revision }]);
        };
        match command {
            C::Open { order, .. } if order == edit.order => Ok(Vec::new()),
            C::Open { .. } => Err(OrderEditError::AlreadyOpen),
            C::SetQuantity { line, wanted } => edit.set_quantity(line, wanted),
            C::AddLine { addition } => edit.add(addition),
            C::Preview { proposal } => edit.preview(proposal),
            C::Request => edit.step(&[S::Previewed], S::Requested, "be requested", E::Requested),
            C::Confirm => {
                let event = E::Confirmed { order: edit.order };
                edit.step(&[S::Requested], S::Confirmed, "be confirmed", event)
            }
            C::Decline { reason } => {
                edit.step(&[S::Requested], S::Declined, "be declined", E::Declined { reason })
            }
            C::Cancel { reason } => {
                let open = [S::Open, S::Previewed, S::Requested];
                edit.step(&open, S::Cancelled, "be cancelled", E::Cancelled { reason })
            }
        }
    }

    fn evolve(state: Option<Self>, event: &OrderEditEvent) -> Result<Self, EvolveError> {
        use OrderEditEvent as E;
        use OrderEditStatus as S;
        let Some(mut edit) = state else {
            let E::Opened { order, subject, revision } = event else { return Err(EvolveError::of(event)) };
            return Ok(Self {
                order: *order,
                subject: *subject,
                revision: *revision,
                status: S::Open,
                wanted: BTreeMap::new(),
                additions: Vec::new(),
                proposal: None,
            });
        };
        match event {
            E::Opened { .. } => return Err(EvolveError::of(event)),
            E::QuantitySet { line, wanted } => {
                let at = edit.additions.iter().position(|addition| addition.line == *line);
                match (at.and_then(|at| edit.additions.get_mut(at)), Quantity::new(*wanted)) {
                    (Some(addition), Ok(quantity)) => addition.quantity = quantity,
                    (Some(_), Err(_)) => edit.additions.retain(|addition| addition.line != *line),
                    (None, _) => drop(edit.wanted.insert(*line, *wanted)),
                }
                (edit.status, edit.proposal) = (S::Open, None);
            }
            E::LineAdded { addition } => {
                edit.additions.push(*addition);
                (edit.status, edit.proposal) = (S::Open, None);
            }
            E::Previewed { proposal } => {
                (edit.status, edit.proposal) = (S::Previewed, Some(proposal.clone()));
            }
            E::Requested => edit.status = S::Requested,
            E::Confirmed { .. } => edit.status = S::Confirmed,
            E::Declined { .. } => edit.status = S::Declined,
            E::Cancelled { .. } => edit.status = S::Cancelled,
        }
        Ok(edit)
    }

    fn owner(&self) -> Owner {
        Owner::Subject(self.subject)
    }
}
