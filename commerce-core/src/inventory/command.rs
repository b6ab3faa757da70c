//! What can be asked of stock and reservations.

use serde::Serialize;

use super::event::ReservedLine;
use super::policy::StockPolicy;
use super::reservation::Reservation;
use super::stock::StockItem;
use crate::kernel::aggregate::{Command, Permission};
use crate::value::id::{CheckoutId, LocationId};
use crate::value::time::Timestamp;
use crate::value::{Quantity, Reason, Sku};

/// Asks something of the stock of one SKU at one location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum StockCommand {
    /// Starts to keep stock. Repeating it with the same SKU and location is a no-op.
    Open {
        /// What.
        sku: Sku,
        /// Where.
        location: LocationId,
    },
    /// Goods arrive.
    Receive {
        /// Units.
        quantity: Quantity,
    },
    /// Goods come back from a buyer and go on sale again.
    Restock {
        /// Units.
        quantity: Quantity,
    },
    /// Goods leave otherwise than by a sale; refused below the floor.
    Withdraw {
        /// Units.
        quantity: Quantity,
        /// Why.
        reason: Reason,
    },
    /// A count differs from the books by this many units: a fact, never refused.
    Adjust {
        /// Units, with sign.
        delta: i32,
        /// Why.
        reason: Reason,
    },
    /// Sets when units may be promised that are not there.
    SetPolicy {
        /// The policy.
        policy: StockPolicy,
        /// Units that are never promised.
        safety_stock: u32,
    },
    /// Sets below how many available units an alert is wanted; `None` for never.
    SetThreshold {
        /// Units.
        threshold: Option<u32>,
    },
    /// Reports the level behind a move, as a reader of the log saw it.
    ObserveLevel {
        /// Units available.
        available: i64,
        /// Units there: available + held + allocated.
        on_hand: i64,
    },
}

impl Command for StockCommand {
    type Target = StockItem;

    fn permission(&self) -> Permission {
        let action = match self {
            Self::Open { .. } => "open",
            Self::Receive { .. } => "receive",
            Self::Restock { .. } => "restock",
            Self::Withdraw { .. } => "withdraw",
            Self::Adjust { .. } => "adjust",
            Self::SetPolicy { .. } => "set-policy",
            Self::SetThreshold { .. } => "set-threshold",
            Self::ObserveLevel { .. } => "observe-level",
        };
        Permission::new("stock_item", action)
    }

    fn stands_alone(&self) -> bool {
        !matches!(self, Self::ObserveLevel { .. })
    }
}

/// Asks something of a reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum ReservationCommand {
    /// Holds all lines or none.
    Hold {
        /// For which checkout.
        checkout: CheckoutId,
        /// What; at least one line.
        lines: Vec<ReservedLine>,
        /// When the hold ends by itself.
        expires_at: Timestamp,
        /// The latest time to which it can be extended.
        extendable_until: Timestamp,
    },
    /// Holds on for longer.
    Extend {
        /// The new end.
        expires_at: Timestamp,
    },
    /// Holds on without an end: payment is covered.
    Pin,
    /// The order stands: the units are promised.
    Commit,
    /// Gives everything back that has not left.
    Release {
        /// Why.
        reason: Reason,
    },
    /// Gives some promised units of a line back.
    ReleasePart {
        /// The line's number, from 0.
        line: u32,
        /// Units.
        quantity: Quantity,
        /// Why.
        reason: Reason,
    },
    /// Promised units leave with a parcel.
    Consume {
        /// Line numbers and units.
        units: Vec<(u32, Quantity)>,
    },
    /// The hold is over by the clock.
    Expire,
}

impl Command for ReservationCommand {
    type Target = Reservation;

    fn permission(&self) -> Permission {
        let action = match self {
            Self::Hold { .. } => "hold",
            Self::Extend { .. } => "extend",
            Self::Pin => "pin",
            Self::Commit => "commit",
            Self::Release { .. } => "release",
            Self::ReleasePart { .. } => "release-part",
            Self::Consume { .. } => "consume",
            Self::Expire => "expire",
        };
        Permission::new("reservation", action)
    }

    fn stands_alone(&self) -> bool {
        matches!(self, Self::Expire)
    }
}
