//! Why carts refuse.

use super::state::Status;
use crate::value::Currency;
use crate::value::id::{CartLineId, CheckoutId, OrderId};
use crate::value::time::Timestamp;

/// A cart refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CartError {
    /// There is none.
    #[error("there is no such cart")]
    NotFound,
    /// The id is in use for another cart.
    #[error("the id is in use for another cart")]
    AlreadyExists,
    /// A cart belongs to a buyer, guest or customer.
    #[error("a cart belongs to a buyer")]
    OwnerIsNoBuyer,
    /// The cart belongs to another customer.
    #[error("the cart belongs to another customer")]
    AlreadyIdentified,
    /// A checkout has locked the cart.
    #[error("checkout {checkout} has locked the cart")]
    Locked {
        /// Which.
        checkout: CheckoutId,
        /// When that checkout is woken.
        deadline: Timestamp,
    },
    /// The lock belongs to no or another checkout.
    #[error("checkout {checkout} has not locked the cart")]
    NotLockedBy {
        /// Who asked.
        checkout: CheckoutId,
    },
    /// The cart became an order.
    #[error("the cart became order {order}")]
    AlreadyConverted {
        /// Which.
        order: OrderId,
    },
    /// The step is not possible in this state.
    #[error("a {status:?} cart cannot {command}")]
    IllegalTransition {
        /// Where it stands.
        status: Status,
        /// What was asked.
        command: &'static str,
    },
    /// Nothing to check out.
    #[error("the cart is empty")]
    Empty,
    /// There is no line with this id.
    #[error("there is no line {line}")]
    NoSuchLine {
        /// The id.
        line: CartLineId,
    },
    /// The id belongs to a line with another key.
    #[error("the id {line} is in use for another line")]
    LineIdInUse {
        /// The id.
        line: CartLineId,
    },
    /// More lines than a cart takes.
    #[error("a cart has at most {max} lines")]
    TooManyLines {
        /// The most.
        max: usize,
    },
    /// More units than a line takes.
    #[error("line {line} would have more than {max} units")]
    TooManyUnits {
        /// The line.
        line: CartLineId,
        /// The most.
        max: u32,
    },
    /// More codes than a cart takes.
    #[error("a cart takes at most {max} codes")]
    TooManyCodes {
        /// The most.
        max: usize,
    },
    /// A cart cannot be merged into itself.
    #[error("a cart cannot be merged into itself")]
    SameCart,
    /// An amount of another currency than the cart's.
    #[error("the cart is in {cart}, not in {given}")]
    CurrencyMismatch {
        /// The cart's.
        cart: Currency,
        /// The other one.
        given: Currency,
    },
    /// The deadline is over, or before the present one.
    #[error("the checkout cannot be given until {deadline}")]
    BadDeadline {
        /// The deadline that was asked for.
        deadline: Timestamp,
    },
    /// The checkouts of a cart are counted; this is not the next.
    #[error("the next checkout of the cart is number {expected}")]
    WrongCheckoutNumber {
        /// The next.
        expected: u32,
    },
}
