//! How a confirmed order is changed: whole, in one event, and only by an edit.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::OrderError;
use super::event::OrderEvent;
use super::ledger::{LineLedger, Movement};
use super::lifecycle::OrderStatus;
use super::snapshot::OrderLine;
use super::state::Order;
use crate::kernel::aggregate::EvolveError;
use crate::value::id::{OrderEditId, OrderLineId, ReservationId, ShipmentId};
use crate::value::{Money, MoneyError, PriceBook};

/// How many units of a line are wanted from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineTarget {
    /// The line.
    pub line: OrderLineId,
    /// Units; zero gives the line up.
    pub wanted: u32,
}

/// What an edit makes of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// The edit that was confirmed.
    pub edit: OrderEditId,
    /// Which revision of the order it makes, from 1.
    pub number: u32,
    /// The lines whose units change.
    pub targets: Vec<LineTarget>,
    /// The lines that are new.
    pub added: Vec<OrderLine>,
    /// The prices from now on: of every line of which units are wanted, in the order of the lines.
    pub book: Arc<PriceBook>,
    /// What promises the units that came in addition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation: Option<ReservationId>,
    /// The parcels that they will leave in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parcels: Vec<ShipmentId>,
}

/// What edits have brought to an order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Revised {
    /// How many edits were confirmed.
    pub number: u32,
    /// The last of them.
    pub last: Option<OrderEditId>,
    /// Reservations beside that of the checkout.
    pub reservations: Vec<ReservationId>,
    /// Parcels beside those of the checkout.
    pub parcels: Vec<ShipmentId>,
}

impl Order {
    /// What edits have brought.
    pub const fn revised(&self) -> &Revised {
        &self.revised
    }

    /// What the buyer still owes, below zero where the shop does: total − captured + refunded.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] where the sum does not fit.
    pub fn balance(&self) -> Result<Money, MoneyError> {
        self.balance_of(self.total())
    }

    /// What the buyer would owe if this were the total.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] where the sum does not fit.
    pub fn balance_of(&self, total: Money) -> Result<Money, MoneyError> {
        let paid = self
            .payments()
            .values()
            .try_fold(0_i64, |sum, payment| sum.checked_add(payment.captured)?.checked_sub(payment.refunded));
        let paid = paid.ok_or(MoneyError::Overflow)?;
        total.checked_sub(Money::from_minor(paid, total.currency()))
    }

    pub(super) fn edit(&self, revision: Box<Revision>) -> Result<Vec<OrderEvent>, OrderError> {
        if self.revised.last == Some(revision.edit) {
            return Ok(Vec::new());
        }
        if self.status() != OrderStatus::Confirmed {
            return Err(OrderError::NotConfirmed(self.status()));
        }
        if revision.number != self.revised.number.saturating_add(1) {
            return Err(OrderError::Outdated { revision: self.revised.number });
        }
        let ledger = self.targeted(&revision.targets)?;
        let known = self.content().lines.iter().zip(&ledger).map(|(line, ledger)| (line, ledger.wanted()));
        let added = revision.added.iter().map(|line| (line, line.quantity.get()));
        let wanted: Vec<_> = known.chain(added).filter(|(_, wanted)| *wanted > 0).collect();
        let ids: BTreeSet<_> =
            self.content().lines.iter().chain(&revision.added).map(|line| line.id).collect();
        if ids.len() != self.content().lines.len().saturating_add(revision.added.len()) {
            return Err(OrderError::Inconsistent("a new line has the id of another"));
        }
        self.priced(&wanted, &revision.book)?;
        Ok(vec![OrderEvent::Edited { revision }])
    }

    /// The ledgers behind these changes.
    fn targeted(&self, targets: &[LineTarget]) -> Result<Vec<LineLedger>, OrderError> {
        let mut ledger = self.ledgers().to_vec();
        for target in targets {
            let at = self.content().lines.iter().position(|line| line.id == target.line);
            let slot = at.and_then(|at| ledger.get_mut(at)).ok_or(OrderError::NoSuchLine(target.line))?;
            let cut = slot.wanted().saturating_sub(target.wanted);
            *slot = slot.retargeted(target.wanted).ok_or_else(|| OrderError::NotThatMany {
                line: target.line,
                movement: Movement::Cancelled,
                room: slot.room(Movement::Cancelled),
                wanted: cut,
            })?;
        }
        Ok(ledger)
    }

    /// The book prices exactly what is wanted, and no line that was there at another price.
    fn priced(&self, wanted: &[(&OrderLine, u32)], book: &PriceBook) -> Result<(), OrderError> {
        let refuse = |why| Err(OrderError::Inconsistent(why));
        if wanted.is_empty() {
            return Err(OrderError::Empty);
        }
        if book.currency != self.content().book.currency || wanted.len() != book.lines.len() {
            return refuse("another currency or number of lines");
        }
        let mut sum = i128::from(book.shipping_total.minor()) + i128::from(book.fee_total.minor());
        for ((line, units), priced) in wanted.iter().zip(&book.lines) {
            if line.id.uuid() != priced.line.uuid() || line.sku != priced.sku {
                return refuse("a line differs");
            }
            if *units != priced.quantity.get() {
                return refuse("a quantity differs");
            }
            let before = self.content().book.line(priced.line);
            if before.is_some_and(|before| before.unit_price != priced.unit_price) {
                return refuse("a unit price differs");
            }
            sum += i128::from(priced.gross.minor());
        }
        if book.total.is_negative() || sum != i128::from(book.total.minor()) {
            return refuse("the total is not the sum of its parts");
        }
        Ok(())
    }

    /// Folds a revision.
    pub(super) fn revise(mut self, revision: &Revision) -> Result<Self, EvolveError> {
        let stray = || EvolveError { event: "OrderEdited" };
        let mut ledger = self.targeted(&revision.targets).map_err(|_| stray())?;
        ledger.extend(revision.added.iter().map(|line| {
            let units = line.quantity.get();
            LineLedger { ordered: units, allocated: units, ..LineLedger::default() }
        }));
        self.replace(ledger, &revision.added, revision.book.clone());
        self.revised.number = revision.number;
        self.revised.last = Some(revision.edit);
        self.revised.reservations.extend(revision.reservation);
        self.revised.parcels.extend(&revision.parcels);
        Ok(self)
    }
}
