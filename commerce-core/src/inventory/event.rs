//! What happens to stock and reservations. A stored event carries all that its effects need.

use serde::{Deserialize, Serialize};

use super::policy::StockPolicy;
use crate::event_types;
use crate::value::id::{CheckoutId, LocationId};
use crate::value::time::Timestamp;
use crate::value::{Quantity, Reason, Sku};

/// A fact about the stock of one SKU at one location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum StockEvent {
    /// Stock is kept from now on.
    Opened {
        /// What.
        sku: Sku,
        /// Where.
        location: LocationId,
    },
    /// Goods arrived.
    Received {
        /// What.
        sku: Sku,
        /// Where.
        location: LocationId,
        /// Units.
        quantity: Quantity,
    },
    /// Goods came back and went on sale again.
    Restocked {
        /// What.
        sku: Sku,
        /// Where.
        location: LocationId,
        /// Units.
        quantity: Quantity,
    },
    /// Goods left otherwise than by a sale.
    Withdrawn {
        /// What.
        sku: Sku,
        /// Where.
        location: LocationId,
        /// Units.
        quantity: Quantity,
        /// Why.
        reason: Reason,
    },
    /// A count differed from the books.
    Adjusted {
        /// What.
        sku: Sku,
        /// Where.
        location: LocationId,
        /// Units, with sign.
        delta: i32,
        /// Why.
        reason: Reason,
    },
    /// When units may be promised that are not there.
    PolicySet {
        /// What.
        sku: Sku,
        /// Where.
        location: LocationId,
        /// The policy.
        policy: StockPolicy,
        /// Units that are never promised.
        safety_stock: u32,
    },
    /// Below how many units an alert is wanted.
    ThresholdSet {
        /// Units; `None` for never.
        threshold: Option<u32>,
    },
    /// The level changed, as a reader of the log saw it.
    LevelChanged {
        /// What.
        sku: Sku,
        /// Where.
        location: LocationId,
        /// Units available.
        available: i64,
        /// Units there.
        on_hand: i64,
    },
    /// The level fell below the threshold.
    LowStock {
        /// What.
        sku: Sku,
        /// Where.
        location: LocationId,
        /// Units available.
        available: i64,
        /// The threshold.
        threshold: u32,
    },
}

event_types! {
    StockEvent {
        Opened => "StockItemOpened" v1,
        Received => "StockReceived" v1,
        Restocked => "StockRestocked" v1,
        Withdrawn => "StockWithdrawn" v1,
        Adjusted => "StockAdjusted" v1,
        PolicySet => "StockPolicySet" v1,
        ThresholdSet => "LowStockThresholdSet" v1,
        LevelChanged => "StockLevelChanged" v1,
        LowStock => "LowStockAlert" v1,
    }
}

/// Units of a SKU at a location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservedLine {
    /// What.
    pub sku: Sku,
    /// Where.
    pub location: LocationId,
    /// Units.
    pub quantity: Quantity,
}

/// Units of one line of a reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineUnits {
    /// The line's number, from 0.
    pub line: u32,
    /// What.
    pub sku: Sku,
    /// Where.
    pub location: LocationId,
    /// Units.
    pub quantity: Quantity,
}

/// A fact about a reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReservationEvent {
    /// All lines are held.
    Reserved {
        /// For which checkout.
        checkout: CheckoutId,
        /// What.
        lines: Vec<ReservedLine>,
        /// When the hold ends by itself.
        expires_at: Timestamp,
        /// The latest time to which it can be extended.
        extendable_until: Timestamp,
    },
    /// The hold lasts longer.
    Extended {
        /// The new end.
        expires_at: Timestamp,
    },
    /// The hold has no end any more.
    Pinned,
    /// The units are promised.
    Committed {
        /// What.
        units: Vec<LineUnits>,
    },
    /// Held units are free again.
    Released {
        /// What.
        units: Vec<LineUnits>,
        /// Why.
        reason: Reason,
    },
    /// Promised units are free again.
    CommitmentReleased {
        /// What.
        units: Vec<LineUnits>,
        /// Why.
        reason: Reason,
    },
    /// Promised units left with a parcel.
    Consumed {
        /// What.
        units: Vec<LineUnits>,
    },
    /// The hold ended by the clock; its units are free again.
    Expired {
        /// What.
        units: Vec<LineUnits>,
    },
}

event_types! {
    ReservationEvent {
        Reserved => "InventoryReserved" v1,
        Extended => "ReservationExtended" v1,
        Pinned => "ReservationPinned" v1,
        Committed => "InventoryCommitted" v1,
        Released => "InventoryReleased" v1,
        CommitmentReleased => "InventoryCommitmentReleased" v1,
        Consumed => "InventoryConsumed" v1,
        Expired => "ReservationExpired" v1,
    }
}
