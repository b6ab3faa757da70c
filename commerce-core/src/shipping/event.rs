//! What happens to a shipment.

use serde::{Deserialize, Serialize};

use super::state::CarrierNews;
use crate::event_types;
use crate::kernel::personal::Personal;
use crate::value::id::{LocationId, OrderId, OrderLineId, ReservationId};
use crate::value::time::Timestamp;
use crate::value::{Address, Code, Quantity, Reason, Sku};

/// Units of an order line in a parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShipmentLine {
    /// The line of the order.
    pub order_line: OrderLineId,
    /// The number of the reservation's line that promises them; `None` where no stock is kept of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation_line: Option<u32>,
    /// What.
    pub sku: Sku,
    /// Units.
    pub quantity: Quantity,
}

/// By which a carrier knows a parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracking {
    /// The carrier.
    pub carrier: Code,
    /// Its number for the parcel.
    pub number: Code,
}

/// A fact about a shipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ShipmentEvent {
    /// It is being prepared.
    Created {
        /// Of which order.
        order: OrderId,
        /// What.
        lines: Vec<ShipmentLine>,
        /// The reservation that promises the units.
        reservation: ReservationId,
        /// Where they are.
        location: LocationId,
        /// Where they go.
        address: Personal<Address>,
    },
    /// It can be handed over.
    Ready,
    /// Other units are in it.
    Repacked {
        /// What.
        lines: Vec<ShipmentLine>,
    },
    /// It must not be handed over for now.
    Held {
        /// Why.
        reason: Reason,
    },
    /// The reason is gone.
    Unheld,
    /// It will not be sent.
    Cancelled {
        /// Of which order.
        order: OrderId,
        /// Why.
        reason: Reason,
    },
    /// It was handed over.
    Dispatched {
        /// Of which order.
        order: OrderId,
        /// By which the carrier knows it.
        tracking: Option<Tracking>,
    },
    /// The carrier has told something.
    TrackingUpdated {
        /// What and when.
        news: CarrierNews,
        /// Whether it is newer than all before and so counts.
        counts: bool,
    },
    /// It is with the recipient.
    Delivered {
        /// Of which order.
        order: OrderId,
        /// When, by the carrier.
        at: Timestamp,
    },
    /// Something went wrong on the way.
    ExceptionRaised {
        /// Of which order.
        order: OrderId,
        /// When, by the carrier.
        at: Timestamp,
    },
    /// It comes back.
    ReturnedToSender {
        /// Of which order.
        order: OrderId,
    },
    /// It is gone.
    Lost {
        /// Of which order.
        order: OrderId,
    },
}

event_types! {
    ShipmentEvent {
        Created => "ShipmentCreated" v1,
        Ready => "ShipmentReady" v1,
        Repacked => "ShipmentRepacked" v1,
        Held => "ShipmentHeld" v1,
        Unheld => "ShipmentUnheld" v1,
        Cancelled => "ShipmentCancelled" v1,
        Dispatched => "ShipmentDispatched" v1,
        TrackingUpdated => "TrackingUpdated" v1,
        Delivered => "ShipmentDelivered" v1,
        ExceptionRaised => "ShipmentException" v1,
        ReturnedToSender => "ShipmentReturnedToSender" v1,
        Lost => "ShipmentLost" v1,
    }
}
