//! What can be asked of a shipment.

use serde::Serialize;

use super::event::{ShipmentLine, Tracking};
use super::shipment::Shipment;
use super::state::CarrierStatus;
use crate::kernel::aggregate::{Aggregate, Command, Permission};
use crate::kernel::personal::Personal;
use crate::value::id::{LocationId, OrderId, ReservationId};
use crate::value::time::Timestamp;
use crate::value::{Address, Reason};

/// Asks something of a shipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum ShipmentCommand {
    /// Prepares a parcel. Repeating it is a no-op.
    Create {
        /// Of which order.
        order: OrderId,
        /// What; at least one line.
        lines: Vec<ShipmentLine>,
        /// The reservation that promises the units.
        reservation: ReservationId,
        /// Where they are.
        location: LocationId,
        /// Where they go.
        address: Personal<Address>,
    },
    /// It can be handed over: the order stands and is not blocked, and the units are there.
    MarkReady,
    /// Other units are in it from now on; for a parcel that was not handed over.
    Repack {
        /// What; at least one line.
        lines: Vec<ShipmentLine>,
    },
    /// It must not be handed over for now.
    Hold {
        /// Why.
        reason: Reason,
    },
    /// The reason is gone.
    Unhold,
    /// It will not be sent.
    Cancel {
        /// Why.
        reason: Reason,
    },
    /// It is handed over. The reservation consumes the units in the same commit.
    Dispatch {
        /// By which the carrier knows it.
        tracking: Option<Tracking>,
    },
    /// The carrier has told something.
    RecordTracking {
        /// What.
        status: CarrierStatus,
        /// When, by the carrier.
        at: Timestamp,
        /// Which of several at the same time is the later one.
        rank: u16,
    },
    /// It comes back.
    ReturnToSender,
    /// It is gone.
    Lose,
}

impl Command for ShipmentCommand {
    type Target = Shipment;

    fn permission(&self) -> Permission {
        let action = match self {
            Self::Create { .. } => "create",
            Self::MarkReady => "mark-ready",
            Self::Repack { .. } => "repack",
            Self::Hold { .. } => "hold",
            Self::Unhold => "unhold",
            Self::Cancel { .. } => "cancel",
            Self::Dispatch { .. } => "dispatch",
            Self::RecordTracking { .. } => "record-tracking",
            Self::ReturnToSender => "return-to-sender",
            Self::Lose => "lose",
        };
        Permission::new(Shipment::NAME, action)
    }

    fn stands_alone(&self) -> bool {
        matches!(
            self,
            Self::Hold { .. } | Self::Unhold | Self::Cancel { .. } | Self::ReturnToSender | Self::Lose
        )
    }
}
