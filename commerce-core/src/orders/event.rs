//! What happens to orders.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ledger::Movement;
use super::number::OrderNumber;
use super::revision::Revision;
use super::snapshot::{Coverage, OrderContent, PaymentSums};
use crate::event_types;
use crate::value::id::{CartId, OrderLineId, PaymentId};
use crate::value::time::Timestamp;
use crate::value::{Quantity, Reason};

/// Units of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineMovement {
    /// The line.
    pub line: OrderLineId,
    /// Units.
    pub quantity: Quantity,
}

/// A fact about an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum OrderEvent {
    /// Staff began an order.
    Drafted {
        /// What is to be bought.
        content: OrderContent,
    },
    /// It was placed.
    Placed {
        /// Its number.
        number: OrderNumber,
        /// What was bought.
        content: OrderContent,
    },
    /// It was placed in another shop, long ago.
    Imported {
        /// Its number there.
        number: OrderNumber,
        /// What was bought.
        content: OrderContent,
        /// When it was placed there.
        placed_at: Timestamp,
    },
    /// Stock and payment are secured.
    Confirmed {
        /// Why.
        coverage: Coverage,
        /// Whether units are promised that are not there.
        backordered: bool,
    },
    /// It never came about.
    Failed {
        /// Why, in a word for machines.
        code: Arc<str>,
        /// Why, for people.
        reason: Reason,
        /// The cart that may be checked out again.
        cart: Option<CartId>,
    },
    /// It was given up.
    Cancelled {
        /// Why.
        reason: Reason,
        /// The cart that may be checked out again: only before confirmation.
        cart: Option<CartId>,
    },
    /// Units moved.
    Moved {
        /// How.
        movement: Movement,
        /// Which.
        units: Vec<LineMovement>,
    },
    /// An edit was made.
    Edited {
        /// What it makes of the order.
        revision: Box<Revision>,
    },
    /// What payments report has changed.
    PaymentNoted {
        /// Which payment.
        payment: PaymentId,
        /// All of its sums.
        sums: PaymentSums,
    },
    /// It may not be shipped or captured for now.
    Blocked {
        /// Why.
        reason: Reason,
    },
    /// It may go on.
    Unblocked,
    /// Everything is delivered and paid.
    Completed,
}

event_types! {
    OrderEvent {
        Drafted => "OrderDrafted" v1,
        Placed => "OrderPlaced" v1,
        Imported => "OrderImported" v1,
        Confirmed => "OrderConfirmed" v1,
        Failed => "OrderFailed" v1,
        Cancelled => "OrderCancelled" v1,
        Moved => "OrderUnitsMoved" v1,
        Edited => "OrderEdited" v1,
        PaymentNoted => "OrderPaymentNoted" v1,
        Blocked => "OrderBlocked" v1,
        Unblocked => "OrderUnblocked" v1,
        Completed => "OrderCompleted" v1,
    }
}
