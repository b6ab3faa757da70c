//! What a list shows of an order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::event::OrderEvent;
use super::ledger::LineLedger;
use super::lifecycle::OrderStatus;
use super::number::OrderNumber;
use super::snapshot::{OrderContent, PaymentSums};
use super::status::{FulfilmentStatus, OrderPaymentStatus, fulfilment_status, payment_status};
use crate::value::Money;
use crate::value::id::{CustomerId, OrderLineId, PaymentId, SubjectId};
use crate::value::time::Timestamp;

/// An order in a list. Nothing personal: names and addresses are read from the order itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderSummary {
    /// Its number; a draft has none.
    pub number: Option<OrderNumber>,
    /// Where it stands in its life.
    pub status: OrderStatus,
    /// When it was placed; of a draft, when it was begun.
    pub placed_at: Timestamp,
    /// The customer, where one is known.
    pub customer: Option<CustomerId>,
    /// The person it belongs to, customer or guest.
    pub buyer: SubjectId,
    /// What the buyer owes.
    pub total: Money,
    /// Whether it may not be shipped or captured for now.
    pub blocked: bool,
    backordered: bool,
    lines: BTreeMap<OrderLineId, LineLedger>,
    payments: BTreeMap<PaymentId, PaymentSums>,
}

impl OrderSummary {
    fn begin(content: &OrderContent, status: OrderStatus, placed_at: Timestamp) -> Self {
        let lines = content
            .lines
            .iter()
            .map(|line| (line.id, LineLedger { ordered: line.quantity.get(), ..LineLedger::default() }));
        Self {
            number: None,
            status,
            placed_at,
            customer: content.customer,
            buyer: content.subject,
            total: content.book.total,
            blocked: false,
            backordered: false,
            lines: lines.collect(),
            payments: BTreeMap::new(),
        }
    }

    /// What an event makes of it; `None` where the event cannot follow what is known.
    pub fn follow(known: Option<Self>, event: &OrderEvent, at: Timestamp) -> Option<Self> {
        use OrderEvent as E;
        let mut order = match (known, event) {
            (None, E::Drafted { content }) => return Some(Self::begin(content, OrderStatus::Draft, at)),
            (_, E::Placed { number, content }) => {
                let placed = Self::begin(content, OrderStatus::Pending, at);
                return Some(Self { number: Some(number.clone()), ..placed });
            }
            (None, E::Imported { number, content, placed_at }) => {
                let mut order = Self::begin(content, OrderStatus::Completed, *placed_at);
                order.number = Some(number.clone());
                for line in order.lines.values_mut() {
                    (line.allocated, line.shipped, line.delivered) =
                        (line.ordered, line.ordered, line.ordered);
                }
                return Some(order);
            }
            (Some(order), _) => order,
            (None, _) => return None,
        };
        match event {
            E::Drafted { .. } | E::Placed { .. } | E::Imported { .. } => return None,
            E::Confirmed { backordered, .. } => {
                order.status = OrderStatus::Confirmed;
                order.backordered = *backordered;
                for line in order.lines.values_mut() {
                    line.allocated = line.wanted();
                }
            }
            E::Failed { .. } => order.status = OrderStatus::Failed,
            E::Cancelled { .. } => order.status = OrderStatus::Cancelled,
            E::Moved { movement, units } => {
                for unit in units {
                    let line = order.lines.get_mut(&unit.line)?;
                    *line = line.moved(*movement, unit.quantity.get())?;
                }
            }
            E::Edited { revision } => {
                for target in &revision.targets {
                    let line = order.lines.get_mut(&target.line)?;
                    *line = line.retargeted(target.wanted)?;
                }
                for line in &revision.added {
                    let units = line.quantity.get();
                    let ledger = LineLedger { ordered: units, allocated: units, ..LineLedger::default() };
                    order.lines.insert(line.id, ledger);
                }
                order.total = revision.book.total;
            }
            E::PaymentNoted { payment, sums } => drop(order.payments.insert(*payment, *sums)),
            E::Blocked { .. } => order.blocked = true,
            E::Unblocked => order.blocked = false,
            E::Completed => order.status = OrderStatus::Completed,
        }
        Some(order)
    }

    /// How far it is paid.
    pub fn payment_status(&self) -> OrderPaymentStatus {
        let sums: Vec<_> = self.payments.values().copied().collect();
        payment_status(&sums, self.total.minor())
    }

    /// How far it is fulfilled.
    pub fn fulfilment_status(&self) -> FulfilmentStatus {
        fulfilment_status(self.lines.values(), self.backordered)
    }

    /// Units that are wanted.
    pub fn units(&self) -> u64 {
        self.lines.values().fold(0, |sum, line| sum.saturating_add(u64::from(line.wanted())))
    }
}
