//! Why shipping refuses.

use super::state::Status;
use crate::value::time::Timestamp;
use crate::value::{Code, Country};

/// No price for sending it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RateError {
    /// No method serves the country.
    #[error("nothing is delivered to {}", country.code())]
    Undeliverable {
        /// Which.
        country: Country,
    },
    /// No method that serves the country has a price for it.
    #[error("no shipping method has a price for this")]
    NoRate,
    /// A rate in another currency than what is sent.
    #[error("shipping method {method} is priced in another currency")]
    Currency {
        /// Which method.
        method: Code,
    },
    /// A rate below zero.
    #[error("shipping method {method} has a price below zero")]
    Negative {
        /// Which method.
        method: Code,
    },
    /// The quote is over.
    #[error("the quote ended at {at}")]
    Expired {
        /// When.
        at: Timestamp,
    },
}

/// A shipment refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShipmentError {
    /// There is none.
    #[error("there is no such shipment")]
    NotFound,
    /// The id is in use for another shipment.
    #[error("the id is in use for another shipment")]
    AlreadyExists,
    /// Nothing to send.
    #[error("a shipment needs at least one line")]
    Empty,
    /// More lines than a shipment takes.
    #[error("a shipment has at most {max} lines")]
    TooManyLines {
        /// The most.
        max: usize,
    },
    /// Two lines take from the same line of the reservation.
    #[error("line {reservation_line} of the reservation is there twice")]
    RepeatedLine {
        /// Which.
        reservation_line: u32,
    },
    /// It was handed over with another tracking number.
    #[error("the shipment was dispatched otherwise")]
    DispatchedOtherwise,
    /// The step is not possible in this state.
    #[error("a {status:?} shipment cannot {command}")]
    IllegalTransition {
        /// Where it stands.
        status: Status,
        /// What was asked.
        command: &'static str,
    },
}
