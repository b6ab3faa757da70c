//! Why a checkout does not begin or go on.

use crate::carts::CartError;
use crate::checkout::machine::{Input, Status};
use crate::identity::Denied;
use crate::inventory::ReservationError;
use crate::kernel::error::{CommitError, ErrorClass, PortError, Shortage};
use crate::kernel::replay::ReplayError;
use crate::notifications::NotificationError;
use crate::orders::OrderError;
use crate::payments::PaymentError;
use crate::pricing::PricingError;
use crate::promotions::RedemptionError;
use crate::shipping::ShipmentError;
use crate::value::id::CartLineId;
use crate::value::{Money, MoneyError};

/// The saga refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckoutRefusal {
    /// There is none.
    #[error("there is no such checkout")]
    NotFound,
    /// The id is in use for another one.
    #[error("the id is in use for another checkout")]
    AlreadyStarted,
    /// The step is not possible in this state.
    #[error("a checkout that is {status:?} does not take {input:?}")]
    IllegalTransition {
        /// Where it stands.
        status: Status,
        /// What was asked.
        input: Input,
    },
}

/// What is the matter with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unavailable {
    /// The product or variant is gone or not for sale.
    NotForSale,
    /// It has no price in the cart's currency.
    NoPrice,
}

/// A checkout did not begin. Nothing happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckoutError {
    /// The actor may not do this.
    #[error("not permitted")]
    Denied(#[from] Denied),
    /// The cart refuses.
    #[error("the cart refuses")]
    Cart(#[from] CartError),
    /// Lines cannot be bought as they are.
    #[error("{} line(s) cannot be bought", .0.len())]
    Lines(Vec<(CartLineId, Unavailable)>),
    /// The cart costs something else than the buyer was shown.
    #[error("the cart costs {actual}, not {expected}")]
    PriceChanged {
        /// What the buyer was shown.
        expected: Money,
        /// What it costs.
        actual: Money,
    },
    /// There is too little of something.
    #[error("too little stock of {} sku(s)", .0.len())]
    InsufficientStock(Vec<Shortage>),
    /// A promotion is used up, in all or by this buyer.
    #[error("{} promotion(s) are used up", .0.len())]
    PromotionExhausted(Vec<Shortage>),
    /// Goods have to go somewhere.
    #[error("goods need a shipping address")]
    NoAddress,
    /// The shipping method is not offered, or none was chosen.
    #[error("the shipping method is not offered")]
    NoShippingMethod,
    /// Somebody has to be written to.
    #[error("a checkout needs a customer or an e-mail")]
    NoContact,
    /// The currency is not one of the shop's.
    #[error("the shop does not sell in this currency")]
    CurrencyNotOffered,
    /// There is no gateway of this name.
    #[error("there is no such payment gateway")]
    NoGateway,
    /// The shop has no location to send from.
    #[error("the shop has no stock location")]
    NoLocation,
    /// Others changed the cart, the products or the settings every time.
    #[error("others changed it {attempts} times in a row")]
    Conflict {
        /// How many decisions were made.
        attempts: u32,
    },
    /// The command id was used for another request, or a key is taken.
    #[error("refused by the store")]
    Commit(#[source] CommitError),
    /// Prices cannot be computed.
    #[error("prices cannot be computed")]
    Pricing(#[from] PricingError),
    /// Amounts do not fit together.
    #[error("amounts do not fit together")]
    Money(#[from] MoneyError),
    /// A port failed.
    #[error("a port failed")]
    Port(#[from] PortError),
    /// What is stored cannot be read.
    #[error("what is stored cannot be read")]
    Corrupt(#[from] ReplayError),
    /// A part of the checkout refuses what it cannot refuse: a defect of the library.
    #[error("an internal step was refused")]
    Internal(#[from] InternalRefusal),
}

/// A part of the checkout refuses what the saga thought possible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // one variant per context; each says what its source says
pub enum InternalRefusal {
    #[error("the saga")]
    Saga(#[from] CheckoutRefusal),
    #[error("the cart")]
    Cart(#[from] CartError),
    #[error("the order")]
    Order(#[from] OrderError),
    #[error("the payment")]
    Payment(#[from] PaymentError),
    #[error("the reservation")]
    Reservation(#[from] ReservationError),
    #[error("a redemption")]
    Redemption(#[from] RedemptionError),
    #[error("the shipment")]
    Shipment(#[from] ShipmentError),
    #[error("the notification")]
    Notification(#[from] NotificationError),
    #[error("a name or number of the shop's own making does not fit its type")]
    Text,
}

impl CheckoutError {
    /// What to do about it: the HTTP status in one match.
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Conflict { .. } => ErrorClass::Contended,
            Self::Port(_) => ErrorClass::Unavailable,
            Self::Corrupt(_) | Self::Internal(_) => ErrorClass::Bug,
            Self::Commit(error) => error.class(),
            _ => ErrorClass::Refused,
        }
    }
}
