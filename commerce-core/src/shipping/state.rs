//! Where a shipment stands, and what a carrier says about it.

use serde::{Deserialize, Serialize};

use crate::value::time::Timestamp;

/// The states of a shipment and what leads from one to the next (see [`TRANSITIONS`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Being prepared.
    Pending,
    /// It can be handed over.
    ReadyToShip,
    /// It must not be handed over for now.
    OnHold,
    /// It will not be sent.
    Cancelled,
    /// Handed over to the carrier.
    Dispatched,
    /// On its way.
    InTransit,
    /// On the last leg.
    OutForDelivery,
    /// With the recipient.
    Delivered,
    /// Something went wrong on the way.
    Exception,
    /// Came back, or is coming back.
    ReturnedToSender,
    /// Gone.
    Lost,
}

impl Status {
    /// Whether nothing can happen any more.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Cancelled | Self::Delivered | Self::ReturnedToSender | Self::Lost)
    }

    /// Whether it is with the carrier, so that news of the carrier counts.
    pub const fn is_on_the_way(self) -> bool {
        matches!(self, Self::Dispatched | Self::InTransit | Self::OutForDelivery | Self::Exception)
    }
}

/// From, command, to: the table that the documentation is made from.
///
/// A carrier may leave steps out: its news counts as if the steps before had been told.
pub const TRANSITIONS: &[(&str, &str, &str)] = &[
    ("–", "Create", "Pending"),
    ("Pending", "MarkReady", "ReadyToShip"),
    ("Pending", "Hold", "OnHold"),
    ("ReadyToShip", "Hold", "OnHold"),
    ("OnHold", "Unhold", "Pending"),
    ("OnHold", "Unhold", "ReadyToShip"),
    ("Pending", "Cancel", "Cancelled"),
    ("ReadyToShip", "Cancel", "Cancelled"),
    ("OnHold", "Cancel", "Cancelled"),
    ("ReadyToShip", "Dispatch", "Dispatched"),
    ("Dispatched", "RecordTracking", "InTransit"),
    ("Dispatched", "RecordTracking", "OutForDelivery"),
    ("Dispatched", "RecordTracking", "Delivered"),
    ("Dispatched", "RecordTracking", "Exception"),
    ("InTransit", "RecordTracking", "OutForDelivery"),
    ("InTransit", "RecordTracking", "Delivered"),
    ("InTransit", "RecordTracking", "Exception"),
    ("OutForDelivery", "RecordTracking", "InTransit"),
    ("OutForDelivery", "RecordTracking", "Delivered"),
    ("OutForDelivery", "RecordTracking", "Exception"),
    ("Exception", "RecordTracking", "InTransit"),
    ("Exception", "RecordTracking", "OutForDelivery"),
    ("Exception", "RecordTracking", "Delivered"),
    ("Exception", "ReturnToSender", "ReturnedToSender"),
    ("Exception", "Lose", "Lost"),
];

/// What a carrier says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CarrierStatus {
    /// On its way.
    InTransit,
    /// On the last leg.
    OutForDelivery,
    /// With the recipient.
    Delivered,
    /// Something went wrong.
    Exception,
}

impl CarrierStatus {
    /// The state of the shipment that follows.
    pub const fn status(self) -> Status {
        match self {
            Self::InTransit => Status::InTransit,
            Self::OutForDelivery => Status::OutForDelivery,
            Self::Delivered => Status::Delivered,
            Self::Exception => Status::Exception,
        }
    }
}

/// One piece of news of a carrier; ordered by time, then rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CarrierNews {
    /// When, by the carrier.
    pub at: Timestamp,
    /// Which of several at the same time is the later one.
    pub rank: u16,
    /// What.
    pub status: CarrierStatus,
}

impl CarrierNews {
    /// Whether it is older than the other one or, at the same time and rank, no news.
    pub fn is_stale_after(&self, other: &Self) -> bool {
        (self.at, self.rank) <= (other.at, other.rank)
    }
}
