//! Why a payment refuses.

use super::ledger::PaymentStatus;
use crate::value::{Money, MoneyError};

/// A payment refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PaymentError {
    /// There is none.
    #[error("there is no such payment")]
    NotFound,
    /// The id is in use for another attempt.
    #[error("the id is in use for another payment")]
    AlreadyInitiated,
    /// Nothing to pay.
    #[error("a payment needs an amount above zero")]
    NothingToPay,
    /// The amount is not the one that we asked for.
    #[error("the gateway reports {reported}, not {expected}")]
    AmountMismatch {
        /// What we asked for.
        expected: Money,
        /// What it reports.
        reported: Money,
    },
    /// The charge is not ours.
    #[error("the gateway reports another charge than this payment's")]
    ChargeMismatch,
    /// The step is not possible in this state.
    #[error("a payment that is {status:?} cannot {command}")]
    IllegalTransition {
        /// Where it stands.
        status: PaymentStatus,
        /// What was asked.
        command: &'static str,
    },
    /// More than is authorised.
    #[error("{wanted} is more than the {authorized} that can be captured")]
    OverCapture {
        /// What was asked.
        wanted: Money,
        /// What is left of the authorisation.
        authorized: Money,
    },
    /// More than is left to give back.
    #[error("{wanted} is more than the {refundable} that can be refunded")]
    OverRefund {
        /// What was asked.
        wanted: Money,
        /// What is left.
        refundable: Money,
    },
    /// The id is in use for another refund.
    #[error("the refund id is in use for another amount")]
    RefundReused,
    /// No call was made under this key.
    #[error("no call was made under this key")]
    UnknownKey,
    /// Amounts do not fit together.
    #[error("amounts do not fit together")]
    Money(#[from] MoneyError),
}
