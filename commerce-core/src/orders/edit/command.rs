//! What can be asked of an edit.

use serde::Serialize;

use super::event::{Addition, Proposal};
use super::state::OrderEdit;
use crate::kernel::aggregate::{Command, Permission};
use crate::value::Reason;
use crate::value::id::{OrderId, OrderLineId, SubjectId};

/// Asks something of an edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum OrderEditCommand {
    /// Begins it.
    Open {
        /// Of which order.
        order: OrderId,
        /// Whose order it is.
        subject: SubjectId,
        /// The revision of the order that it is made on.
        revision: u32,
    },
    /// Wants another number of units of a line; zero gives the line up.
    SetQuantity {
        /// Which line, of the order or added before.
        line: OrderLineId,
        /// Units.
        wanted: u32,
    },
    /// Wants something in addition, at today's price.
    AddLine {
        /// What.
        addition: Addition,
    },
    /// Says what would become of the order. Makes nothing of it.
    Preview {
        /// What would become of it.
        proposal: Box<Proposal>,
    },
    /// Asks the buyer to agree to what was previewed.
    Request,
    /// The buyer agrees, or staff in their name.
    Confirm,
    /// The buyer does not agree.
    Decline {
        /// Why.
        reason: Reason,
    },
    /// Gives it up.
    Cancel {
        /// Why.
        reason: Reason,
    },
}

impl Command for OrderEditCommand {
    type Target = OrderEdit;

    fn permission(&self) -> Permission {
        let action = match self {
            Self::Open { .. } => "open",
            Self::SetQuantity { .. } => "set-quantity",
            Self::AddLine { .. } => "add-line",
            Self::Preview { .. } => "preview",
            Self::Request => "request",
            Self::Confirm => "confirm",
            Self::Decline { .. } => "decline",
            Self::Cancel { .. } => "cancel",
        };
        Permission::new("order_edit", action)
    }

    fn stands_alone(&self) -> bool {
        !matches!(self, Self::Open { .. } | Self::Preview { .. } | Self::Confirm)
    }
}
