//! Why a use case over several aggregates is not carried out.

use crate::app::reading::ReadError;
use crate::carts::CartError;
use crate::checkout::CheckoutError;
use crate::checkout::reprice::RepriceError;
use crate::identity::Denied;
use crate::inventory::{ReservationError, StockError};
use crate::kernel::error::{CommitError, ErrorClass, PortError};
use crate::kernel::replay::ReplayError;
use crate::orders::{OrderEditError, OrderError};
use crate::payments::PaymentError;
use crate::promotions::RedemptionError;
use crate::returns::ReturnError;
use crate::shipping::ShipmentError;
use crate::value::id::OrderLineId;

/// A use case was not carried out. Unless the cause is a port whose effect is unknown, nothing happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OperationError {
    /// The actor may not do this.
    #[error("not permitted")]
    Denied(#[from] Denied),
    /// A cart refuses.
    #[error("the cart refuses")]
    Cart(#[from] CartError),
    /// The order refuses.
    #[error("the order refuses")]
    Order(#[from] OrderError),
    /// The edit refuses.
    #[error("the edit refuses")]
    Edit(#[from] OrderEditError),
    /// The edit cannot be priced.
    #[error("the edit cannot be priced")]
    Reprice(#[source] RepriceError),
    /// The payment refuses.
    #[error("the payment refuses")]
    Payment(#[from] PaymentError),
    /// The shipment refuses.
    #[error("the shipment refuses")]
    Shipment(#[from] ShipmentError),
    /// The reservation refuses.
    #[error("the reservation refuses")]
    Reservation(#[from] ReservationError),
    /// A use of a promotion refuses.
    #[error("a use of a promotion refuses")]
    Redemption(#[from] RedemptionError),
    /// The return refuses.
    #[error("the return refuses")]
    Return(#[from] ReturnError),
    /// The stock refuses.
    #[error("the stock refuses")]
    Stock(#[from] StockError),
    /// A line of the shipment is not what the order's reservation promises at the shipment's location.
    #[error("line {line} is not what is reserved for the order at this location")]
    NotReserved {
        /// The line of the order.
        line: OrderLineId,
    },
    /// The gateway has not yet answered a call on which this depends. To be tried again later.
    #[error("a call of the payment gateway has no outcome yet")]
    PaymentInProgress,
    /// Others were faster every time.
    #[error("others changed it {attempts} times in a row")]
    Conflict {
        /// How many decisions were made.
        attempts: u32,
    },
    /// The store refuses: a pool that is short, a key that is taken, a command id used for something else.
    #[error("refused by the store")]
    Commit(#[source] CommitError),
    /// A port failed.
    #[error("a port failed")]
    Port(#[from] PortError),
    /// What is stored cannot be read.
    #[error("what is stored cannot be read")]
    Corrupt(#[from] ReplayError),
    /// The checkout cannot go on.
    #[error("the checkout cannot go on")]
    Checkout(#[from] CheckoutError),
}

impl OperationError {
    /// What to do about it: the HTTP status in one match.
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Conflict { .. } | Self::PaymentInProgress => ErrorClass::Contended,
            Self::Commit(error) => error.class(),
            Self::Port(_) => ErrorClass::Unavailable,
            Self::Corrupt(_) => ErrorClass::Bug,
            Self::Checkout(error) => error.class(),
            _ => ErrorClass::Refused,
        }
    }
}

impl From<RepriceError> for OperationError {
    fn from(error: RepriceError) -> Self {
        match error {
            RepriceError::Edit(refusal) => Self::Edit(refusal),
            other => Self::Reprice(other),
        }
    }
}

impl From<ReadError> for OperationError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Denied(denied) => denied.into(),
            ReadError::Port(port) => port.into(),
            ReadError::Corrupt(corrupt) => corrupt.into(),
        }
    }
}
