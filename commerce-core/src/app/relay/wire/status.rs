//! The status of orders as consumers of two documents follow it: from, to.

use super::WireError;
use super::draft::Source;
use super::json::{Object, Spelling};
use crate::orders::OrderStatus::{self, Cancelled, Completed, Confirmed, Failed, Pending};
use crate::orders::{Order, OrderEvent};

/// What an event does to the status of an order that was placed. Placing it is told otherwise, and whoever
/// never heard of an order hears nothing of its end.
pub(super) fn transition(
    event: &OrderEvent,
    source: Source<'_>,
) -> Result<Option<(OrderStatus, OrderStatus)>, WireError> {
    Ok(match event {
        OrderEvent::Confirmed { .. } => Some((Pending, Confirmed)),
        OrderEvent::Failed { .. } => Some((Pending, Failed)),
        OrderEvent::Completed => Some((Confirmed, Completed)),
        OrderEvent::Cancelled { .. } => before_the_end(source.order()?).map(|from| (from, Cancelled)),
        _ => None,
    })
}

/// Where an order stood that was given up; nothing for a draft.
pub(super) fn before_the_end(order: &Order) -> Option<OrderStatus> {
    if order.coverage().is_some() {
        return Some(Confirmed);
    }
    order.number().map(|_| Pending)
}

/// From where to where.
pub(super) fn payload(spelling: Spelling, source: Source<'_>, step: (OrderStatus, OrderStatus)) -> Object {
    Object::new(spelling).put("order_id", source.stream()).put("from", name(step.0)).put("to", name(step.1))
}

/// The name of a status.
pub(super) const fn name(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Draft => "Draft",
        Pending => "Pending",
        Confirmed => "Confirmed",
        Completed => "Completed",
        Failed => "Failed",
        Cancelled => "Cancelled",
    }
}
