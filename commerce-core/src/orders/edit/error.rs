//! Why an edit refuses.

use super::state::OrderEditStatus;
use crate::value::id::{OrderLineId, PromotionId};
use crate::value::{Money, MoneyError};

/// An edit refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OrderEditError {
    /// There is none.
    #[error("there is no such edit")]
    NotFound,
    /// The id is in use for the edit of another order.
    #[error("the id is in use for another edit")]
    AlreadyOpen,
    /// The step is not possible in this state.
    #[error("an edit that is {status:?} cannot {command}")]
    IllegalTransition {
        /// Where it stands.
        status: OrderEditStatus,
        /// What was asked.
        command: &'static str,
    },
    /// More changes than an edit takes.
    #[error("an edit has at most {max} changes")]
    TooManyChanges {
        /// The most.
        max: usize,
    },
    /// A line of this id is added already.
    #[error("line {0} is there already")]
    LineExists(OrderLineId),
    /// Nothing would be left: the order is to be cancelled instead.
    #[error("nothing would be left of the order")]
    NothingLeft,
    /// The line was given up by an earlier edit and has no price any more; it can be added anew.
    #[error("line {0} was given up before")]
    GivenUp(OrderLineId),
    /// Not for sale, or not in the order's currency.
    #[error("what line {0} adds is not for sale")]
    NotForSale(OrderLineId),
    /// Only orders that came from a checkout of this shop can be edited.
    #[error("the order came from no checkout")]
    NotFromCheckout,
    /// A promotion would give more than its budget granted to this order.
    #[error("promotion {promotion} granted {granted} to this order, not {wanted}")]
    BeyondGrant {
        /// Which.
        promotion: PromotionId,
        /// What was granted when the order was placed.
        granted: Money,
        /// What it would give now.
        wanted: Money,
    },
    /// The amounts do not fit.
    #[error("the amounts do not fit")]
    Money(#[from] MoneyError),
}
