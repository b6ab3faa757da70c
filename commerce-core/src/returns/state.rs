//! Where a return and its units stand.

use serde::{Deserialize, Serialize};

use crate::value::Reason;

/// The states of a return and what leads from one to the next (see [`TRANSITIONS`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The buyer wants to send goods back.
    Requested,
    /// They may.
    Approved,
    /// They may not.
    Rejected,
    /// They do not want to any more.
    Cancelled,
    /// They did not in time.
    Expired,
    /// The goods are on their way.
    InTransit,
    /// Some have arrived.
    PartiallyReceived,
    /// All that will come have arrived.
    Received,
    /// It is known what each unit is good for.
    Inspected,
    /// It is known what the buyer gets.
    Resolved,
    /// They got it.
    Closed,
}

impl Status {
    /// Whether nothing can happen any more.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Rejected | Self::Cancelled | Self::Expired | Self::Closed)
    }
}

/// From, command, to: the table that the documentation is made from.
pub const TRANSITIONS: &[(&str, &str, &str)] = &[
    ("–", "Request", "Requested"),
    ("Requested", "Approve", "Approved"),
    ("Requested", "Reject", "Rejected"),
    ("Requested", "Cancel", "Cancelled"),
    ("Approved", "MarkInTransit", "InTransit"),
    ("Approved", "Expire", "Expired"),
    ("Approved", "Receive", "PartiallyReceived"),
    ("Approved", "Receive", "Received"),
    ("InTransit", "Receive", "PartiallyReceived"),
    ("InTransit", "Receive", "Received"),
    ("PartiallyReceived", "Receive", "Received"),
    ("Received", "Inspect", "Inspected"),
    ("Inspected", "Resolve", "Resolved"),
    ("Resolved", "Close", "Closed"),
];

/// Units of one order line, from wanted to inspected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Units that could be returned when it was asked for.
    pub returnable: u32,
    /// Units that the buyer wants to return.
    pub requested: u32,
    /// Why.
    pub reason: Reason,
    /// Units that they may return.
    pub approved: u32,
    /// Units that arrived.
    pub received: u32,
    /// Things that arrived instead and are not what was sold.
    pub wrong: u32,
    /// Units that go on sale again.
    pub restocked: u32,
    /// Units that are written off.
    pub damaged: u32,
    /// Units that go back to the buyer.
    pub rejected: u32,
}

impl Line {
    /// Units of which it is known what they are good for.
    pub const fn inspected(&self) -> u32 {
        self.restocked.saturating_add(self.damaged).saturating_add(self.rejected)
    }

    /// Units that were accepted, for which the buyer gets something.
    pub const fn accepted(&self) -> u32 {
        self.restocked.saturating_add(self.damaged)
    }

    /// Approved units that have not arrived.
    pub const fn missing(&self) -> u32 {
        self.approved.saturating_sub(self.received)
    }
}
