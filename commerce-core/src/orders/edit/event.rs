//! What happens to an edit.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::event_types;
use crate::orders::revision::LineTarget;
use crate::orders::snapshot::OrderLine;
use crate::value::id::{OrderId, OrderLineId, ProductId, SubjectId, VariantId};
use crate::value::{Money, PriceBook, Quantity, Reason};

/// Something that is wanted in addition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addition {
    /// The id of the new line.
    pub line: OrderLineId,
    /// What.
    pub product: ProductId,
    /// Which variant of it.
    pub variant: VariantId,
    /// Units.
    pub quantity: Quantity,
}

/// What an edit would make of the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The lines whose units change.
    pub targets: Vec<LineTarget>,
    /// The lines that are new.
    pub added: Vec<OrderLine>,
    /// The prices.
    pub book: Arc<PriceBook>,
    /// What the buyer would owe, below zero where the shop would: new total − captured + refunded.
    pub balance: Money,
}

/// A fact about an edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderEditEvent {
    /// It was begun.
    Opened {
        /// Of which order.
        order: OrderId,
        /// Whose order it is.
        subject: SubjectId,
        /// The revision of the order that it is made on.
        revision: u32,
    },
    /// Another number of units is wanted.
    QuantitySet {
        /// Of which line.
        line: OrderLineId,
        /// Units.
        wanted: u32,
    },
    /// Something is wanted in addition.
    LineAdded {
        /// What.
        addition: Addition,
    },
    /// What would become of the order was shown.
    Previewed {
        /// What.
        proposal: Box<Proposal>,
    },
    /// The buyer was asked.
    Requested,
    /// It was agreed to and made.
    Confirmed {
        /// Of which order.
        order: OrderId,
    },
    /// It was not agreed to.
    Declined {
        /// Why.
        reason: Reason,
    },
    /// It was given up.
    Cancelled {
        /// Why.
        reason: Reason,
    },
}

event_types! {
    OrderEditEvent {
        Opened => "OrderEditOpened" v1,
        QuantitySet => "OrderEditQuantitySet" v1,
        LineAdded => "OrderEditLineAdded" v1,
        Previewed => "OrderEditPreviewed" v1,
        Requested => "OrderEditRequested" v1,
        Confirmed => "OrderEditConfirmed" v1,
        Declined => "OrderEditDeclined" v1,
        Cancelled => "OrderEditCancelled" v1,
    }
}
