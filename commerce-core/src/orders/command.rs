//! What can be asked of an order.

use std::sync::Arc;

use serde::Serialize;

use super::event::LineMovement;
use super::ledger::Movement;
use super::number::OrderNumber;
use super::revision::Revision;
use super::snapshot::{Coverage, OrderContent, PaymentSums};
use super::state::Order;
use crate::kernel::aggregate::{Command, Permission};
use crate::value::Reason;
use crate::value::actor::Owner;
use crate::value::id::PaymentId;
use crate::value::time::Timestamp;

/// Asks something of an order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum OrderCommand {
    /// Begins an order by hand.
    Draft {
        /// What is to be bought.
        content: OrderContent,
    },
    /// Places an order, or a draft as it stands.
    Place {
        /// Its number.
        number: OrderNumber,
        /// What was bought; for a draft nothing.
        content: Option<OrderContent>,
    },
    /// Takes over an order from another shop: history, not business.
    Import {
        /// Its number there.
        number: OrderNumber,
        /// What was bought.
        content: OrderContent,
        /// When it was placed there.
        placed_at: Timestamp,
    },
    /// Stock and payment are secured.
    Confirm {
        /// Why.
        coverage: Coverage,
        /// Whether units are promised that are not there.
        backordered: bool,
    },
    /// The checkout failed.
    Fail {
        /// Why, in a word for machines.
        code: Arc<str>,
        /// Why, for people.
        reason: Reason,
    },
    /// Gives the order up; refused once units have left.
    Cancel {
        /// Why.
        reason: Reason,
    },
    /// Units moved.
    Move {
        /// How.
        movement: Movement,
        /// Which; refused as a whole where one does not fit.
        units: Vec<LineMovement>,
    },
    /// Makes what an edit proposed and somebody agreed to.
    Edit {
        /// What it makes of the order.
        revision: Box<Revision>,
    },
    /// What a payment reports has changed.
    NotePayment {
        /// Which payment.
        payment: PaymentId,
        /// All of its sums.
        sums: PaymentSums,
    },
    /// Stops shipping and capture.
    Block {
        /// Why.
        reason: Reason,
    },
    /// Lets it go on.
    Unblock,
    /// Everything is delivered and paid.
    Complete,
}

impl Command for OrderCommand {
    type Target = Order;

    fn permission(&self) -> Permission {
        let action = match self {
            Self::Draft { .. } => "draft",
            Self::Place { .. } => "place",
            Self::Import { .. } => "import",
            Self::Confirm { .. } => "confirm",
            Self::Fail { .. } => "fail",
            Self::Cancel { .. } => "cancel",
            Self::Move { .. } => "move",
            Self::Edit { .. } => "edit",
            Self::NotePayment { .. } => "note-payment",
            Self::Block { .. } => "block",
            Self::Unblock => "unblock",
            Self::Complete => "complete",
        };
        Permission::new("order", action)
    }

    fn stands_alone(&self) -> bool {
        matches!(
            self,
            Self::Draft { .. }
                | Self::Place { .. }
                | Self::Import { .. }
                | Self::Block { .. }
                | Self::Unblock
        )
    }

    fn claims_owner(&self) -> Option<Owner> {
        match self {
            Self::Draft { content }
            | Self::Import { content, .. }
            | Self::Place { content: Some(content), .. } => Some(Owner::Subject(content.subject)),
            _ => None,
        }
    }
}
