//! What happens to a return.

use serde::{Deserialize, Serialize};

use crate::event_types;
use crate::value::id::{OrderId, OrderLineId, SubjectId};
use crate::value::time::Timestamp;
use crate::value::{Code, Money, Quantity, Reason};

/// Units that a buyer wants to send back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedLine {
    /// The line of the order.
    pub line: OrderLineId,
    /// Units.
    pub quantity: Quantity,
    /// Units that can be returned, as the order tells: delivered less already in a return.
    pub returnable: u32,
    /// Why.
    pub reason: Reason,
}

/// Units that a buyer may send back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovedLine {
    /// The line of the order.
    pub line: OrderLineId,
    /// Units.
    pub quantity: Quantity,
}

/// What arrived of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedLine {
    /// The line of the order.
    pub line: OrderLineId,
    /// Units.
    pub received: u32,
    /// Things that are not what was sold.
    pub wrong: u32,
}

/// What the received units of a line are good for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InspectedLine {
    /// The line of the order.
    pub line: OrderLineId,
    /// Units that go on sale again.
    pub restocked: u32,
    /// Units that are written off.
    pub damaged: u32,
    /// Units that go back to the buyer.
    pub rejected: u32,
}

/// What the buyer gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// Money, by the way it was paid.
    Refund {
        /// How much.
        amount: Money,
    },
    /// Credit with the shop.
    StoreCredit {
        /// How much.
        amount: Money,
    },
    /// Other goods.
    Exchange {
        /// The order of these goods.
        order: OrderId,
        /// Money beside them.
        refund: Money,
    },
}

impl Resolution {
    /// The money or credit in it.
    pub const fn amount(&self) -> Money {
        match self {
            Self::Refund { amount } | Self::StoreCredit { amount } => *amount,
            Self::Exchange { refund, .. } => *refund,
        }
    }
}

/// A fact about a return.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReturnEvent {
    /// It is wanted.
    Requested {
        /// Of which order.
        order: OrderId,
        /// Who bought the goods.
        subject: SubjectId,
        /// What.
        lines: Vec<RequestedLine>,
    },
    /// It is allowed.
    Approved {
        /// The number under which the goods are sent.
        number: Code,
        /// Units per line.
        lines: Vec<ApprovedLine>,
        /// When the approval ends if nothing was sent.
        expires_at: Timestamp,
    },
    /// It is not allowed.
    Rejected {
        /// Why.
        reason: Reason,
    },
    /// It is not wanted any more.
    Cancelled,
    /// Nothing was sent in time.
    Expired,
    /// The carrier has the goods.
    InTransit,
    /// Something arrived and was counted.
    Counted {
        /// Units per line.
        counts: Vec<CountedLine>,
    },
    /// All that will come has arrived.
    Received {
        /// Of which order.
        order: OrderId,
        /// Units that are missing, all lines together.
        missing: u32,
    },
    /// It is known what each unit is good for.
    Inspected {
        /// Per line.
        lines: Vec<InspectedLine>,
    },
    /// It is known what the buyer gets.
    Resolved {
        /// Of which order.
        order: OrderId,
        /// What.
        resolution: Resolution,
    },
    /// They got it.
    Closed,
}

event_types! {
    ReturnEvent {
        Requested => "ReturnRequested" v1,
        Approved => "ReturnApproved" v1,
        Rejected => "ReturnRejected" v1,
        Cancelled => "ReturnCancelled" v1,
        Expired => "ReturnExpired" v1,
        InTransit => "ReturnInTransit" v1,
        Counted => "ReturnCounted" v1,
        Received => "ReturnReceived" v1,
        Inspected => "ReturnInspected" v1,
        Resolved => "ReturnResolved" v1,
        Closed => "ReturnClosed" v1,
    }
}
