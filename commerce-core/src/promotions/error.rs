//! Why promotions and their uses refuse.

use super::state::{PromotionStatus, RedemptionStatus};
use crate::value::id::OrderId;
use crate::value::time::Timestamp;

/// A promotion refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PromotionError {
    /// There is none.
    #[error("there is no such promotion")]
    NotFound,
    /// The id is in use for another promotion.
    #[error("the id is in use for another promotion")]
    AlreadyExists,
    /// The rule names another promotion.
    #[error("the rule names another promotion")]
    IdMismatch,
    /// It would end before it begins.
    #[error("a promotion cannot end before it begins")]
    EmptyWindow,
    /// The benefit or threshold makes no sense in its phase.
    #[error("the benefit or threshold makes no sense in its phase")]
    WrongPhase,
    /// An amount below zero.
    #[error("an amount of a promotion is not negative")]
    NegativeAmount,
    /// Amounts of a currency in which it does not apply.
    #[error("an amount is in a currency in which the promotion does not apply")]
    CurrencyMismatch,
    /// A budget is spent in one currency.
    #[error("a promotion with a budget applies in one currency")]
    BudgetWithoutCurrency,
    /// The step is not possible in this state.
    #[error("a {status:?} promotion cannot {command}")]
    IllegalTransition {
        /// Where it stands.
        status: PromotionStatus,
        /// What was asked.
        command: &'static str,
    },
}

/// A use of a promotion refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedemptionError {
    /// There is none.
    #[error("there is no such use of a promotion")]
    NotFound,
    /// The id is in use for another one.
    #[error("the id is in use for another use of a promotion")]
    AlreadyHeld,
    /// A discount is not negative.
    #[error("a discount is not negative")]
    NegativeAmount,
    /// The hold would end before it begins or earlier than it does now.
    #[error("a hold cannot end at {expires_at}")]
    BadExpiry {
        /// The end that was asked for.
        expires_at: Timestamp,
    },
    /// The hold is not over yet.
    #[error("the hold is not over")]
    NotExpired,
    /// Another order has used it.
    #[error("order {order} has used it")]
    UsedBy {
        /// Which.
        order: OrderId,
    },
    /// The step is not possible in this state.
    #[error("a {status:?} use of a promotion cannot {command}")]
    IllegalTransition {
        /// Where it stands.
        status: RedemptionStatus,
        /// What was asked.
        command: &'static str,
    },
}
