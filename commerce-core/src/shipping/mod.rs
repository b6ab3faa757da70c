//! Shipping: what it costs to send, and what becomes of a parcel.
//!
//! [`quote`] prices every method that serves a country, cheapest first, valid for a while. A [`Shipment`]
//! is one parcel from one location to one address: prepared, handed over, followed. It moves no stock;
//! the reservation consumes the units in the commit that dispatches the parcel.
//!
//! # Invariants
//!
//! - `shipping_2` a shipment has at least one unit, one location and one address;
//! - `shipping_3` a delivered parcel stays delivered, and only an undispatched one is cancelled;
//! - `shipping_5` news of the carrier count by (time, rank): older news is kept but changes nothing;
//! - `shipping_6` a quote that is over is not charged;
//! - `shipping_7` which method is cheapest or fastest does not depend on their order;
//! - `shipping_8` a country that no method serves has no quotes.

pub mod command;
pub mod error;
pub mod event;
pub mod rates;
pub mod shipment;
pub mod state;
#[cfg(test)]
mod tests;

pub use command::ShipmentCommand;
pub use error::{RateError, ShipmentError};
pub use event::{ShipmentEvent, ShipmentLine, Tracking};
pub use rates::{RateBasis, RateQuote, cheapest, fastest, quote};
pub use shipment::Shipment;
pub use state::{CarrierNews, CarrierStatus, Status, TRANSITIONS};

pub use crate::value::shipping::{Band, Measure, RateRule, ShippingMethod};
