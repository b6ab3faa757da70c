//! Why an order refuses.

use super::ledger::Movement;
use super::lifecycle::{OrderStatus, Trigger};
use crate::value::Money;
use crate::value::id::OrderLineId;

/// An order refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// There is none.
    #[error("there is no such order")]
    NotFound,
    /// The id is in use for another order.
    #[error("the id is in use for another order")]
    AlreadyPlaced,
    /// Nothing to buy.
    #[error("an order needs at least one line")]
    Empty,
    /// Lines and price book do not belong together, or the sums are wrong.
    #[error("the lines are not those of the price book: {0}")]
    Inconsistent(&'static str),
    /// An order that is placed needs somebody to write to.
    #[error("an order needs a customer or a guest's e-mail")]
    NoContact,
    /// The step is not possible in this state.
    #[error("an order that is {} cannot {trigger:?}", .from.map_or_else(|| "not there".to_owned(), |from| format!("{from:?}")))]
    IllegalTransition {
        /// Where it stands.
        from: Option<OrderStatus>,
        /// What was asked.
        trigger: Trigger,
    },
    /// Less than what is due is reserved or taken.
    #[error("the payment does not cover {total}")]
    NotCovered {
        /// What is due.
        total: Money,
    },
    /// Units have left already.
    #[error("units have been shipped already")]
    AlreadyShipped,
    /// The order is blocked.
    #[error("the order is blocked")]
    Blocked,
    /// Not everything is delivered, or the balance is not zero.
    #[error("not everything is delivered and paid")]
    NotSettled,
    /// There is no line with this id.
    #[error("there is no line {0}")]
    NoSuchLine(OrderLineId),
    /// Fewer units can make this movement than asked for.
    #[error("{room} units of {line} can be {movement:?}, not {wanted}")]
    NotThatMany {
        /// The line.
        line: OrderLineId,
        /// The movement.
        movement: Movement,
        /// Units for which there is room.
        room: u32,
        /// Units asked for.
        wanted: u32,
    },
    /// The edit was made on an order that has changed since.
    #[error("the order is at revision {revision} by now")]
    Outdated {
        /// Where it is.
        revision: u32,
    },
    /// The step is for orders that are confirmed.
    #[error("the order is {0:?}, not confirmed")]
    NotConfirmed(OrderStatus),
}
