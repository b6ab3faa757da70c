//! Why a cart has no prices.

use crate::value::id::PromotionId;
use crate::value::{LineRef, MoneyError, Phase};

/// The input of pricing contradicts itself, or its sums do not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PricingError {
    /// An amount is of another currency than the input, or a sum does not fit 64 bits.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// Two lines have one id.
    #[error("line {line} occurs twice")]
    DuplicateLine {
        /// The id.
        line: LineRef,
    },
    /// A promotion has two rules in one phase, so their order is not determined.
    #[error("promotion {promotion} has two rules in one phase")]
    DuplicatePromotion {
        /// The promotion.
        promotion: PromotionId,
        /// The phase.
        phase: Phase,
    },
    /// The price of shipping or a fee is below zero.
    #[error("a charge is negative")]
    NegativeCharge,
}
