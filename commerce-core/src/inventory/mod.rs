//! Inventory: how much of a SKU lies where, and for whom.
//!
//! Every SKU has one pool per location. A [`StockItem`] owns the pool: goods received,
//! counted or moved change what is available, and its policy sets the floor. A
//! [`Reservation`] takes from pools for one buyer: held while they pay, allocated
//! once the order stands, consumed when the parcel leaves. No other aggregate moves a stock pool, so one
//! parcel never leaves twice.
//!
//! # Invariants
//!
//! - `inventory_1` what is held and allocated never exceeds what is there plus the backorder limit;
//! - `inventory_3` what is there = received − consumed ± counted, at any time;
//! - `inventory_4` held and allocated equal the sums over reservations;
//! - `inventory_5` all lines of a reservation are held, or none;
//! - `inventory_6` repeating a step changes nothing; giving back what has left is refused;
//! - `inventory_7` per line, requested = released from hold + expired + committed, and committed =
//!   consumed + released behind it + open;
//! - `inventory_8` an expired hold grants nothing.

pub mod command;
pub mod error;
pub mod event;
pub mod policy;
pub mod reservation;
pub mod state;
pub mod stock;
pub mod view;

pub use command::{ReservationCommand, StockCommand};
pub use error::{ReservationError, StockError};
pub use event::{ReservationEvent, ReservedLine, StockEvent};
pub use policy::{StockPolicy, stock_item_id, stock_pool};
pub use reservation::Reservation;
pub use stock::StockItem;
