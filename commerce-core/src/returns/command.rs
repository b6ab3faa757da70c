//! What can be asked of a return.

use serde::Serialize;

use super::event::{ApprovedLine, CountedLine, InspectedLine, RequestedLine, Resolution};
use super::goods_return::Return;
use crate::kernel::aggregate::{Aggregate, Command, Permission};
use crate::value::actor::Owner;
use crate::value::id::{OrderId, SubjectId};
use crate::value::time::Timestamp;
use crate::value::{Code, Reason};

/// Asks something of a return.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum ReturnCommand {
    /// Wants to send goods back. Repeating it is a no-op.
    Request {
        /// Of which order.
        order: OrderId,
        /// Who bought them.
        subject: SubjectId,
        /// What; at least one line.
        lines: Vec<RequestedLine>,
        /// The first moment at which it is too late, by the policy of the shop.
        window_ends: Option<Timestamp>,
    },
    /// Allows it, whole or in part.
    Approve {
        /// The number under which the goods are sent; unique.
        number: Code,
        /// Units per line; lines that are not named are not approved.
        lines: Vec<ApprovedLine>,
        /// When the approval ends if nothing was sent.
        expires_at: Timestamp,
    },
    /// Does not allow it.
    Reject {
        /// Why.
        reason: Reason,
    },
    /// Does not want it any more.
    Cancel,
    /// The approval is over by the clock.
    Expire,
    /// The carrier has the goods.
    MarkInTransit,
    /// The warehouse has counted what arrived.
    Receive {
        /// Units per line.
        counts: Vec<CountedLine>,
        /// Whether no more will come, though units are missing.
        complete: bool,
    },
    /// The warehouse has looked at every received unit.
    Inspect {
        /// What each unit is good for; lines without received units need not be named.
        lines: Vec<InspectedLine>,
    },
    /// Says what the buyer gets.
    Resolve {
        /// What.
        resolution: Resolution,
    },
    /// They got it.
    Close,
}

impl Command for ReturnCommand {
    type Target = Return;

    fn permission(&self) -> Permission {
        let action = match self {
            Self::Request { .. } => "request",
            Self::Approve { .. } => "approve",
            Self::Reject { .. } => "reject",
            Self::Cancel => "cancel",
            Self::Expire => "expire",
            Self::MarkInTransit => "mark-in-transit",
            Self::Receive { .. } => "receive",
            Self::Inspect { .. } => "inspect",
            Self::Resolve { .. } => "resolve",
            Self::Close => "close",
        };
        Permission::new(Return::NAME, action)
    }

    fn stands_alone(&self) -> bool {
        matches!(self, Self::MarkInTransit | Self::Close)
    }

    fn claims_owner(&self) -> Option<Owner> {
        match self {
            Self::Request { subject, .. } => Some(Owner::Subject(*subject)),
            _ => None,
        }
    }
}
