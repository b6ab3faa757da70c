//! What can be asked of a payment.

use std::sync::Arc;

use serde::Serialize;

use super::state::Payment;
use crate::kernel::aggregate::{Command, Permission};
use crate::port::payment::{GatewayFact, GatewayRef, IdempotencyKey};
use crate::value::id::{CheckoutId, OrderId, PaymentId, RefundId};
use crate::value::time::Timestamp;
use crate::value::{Money, Reason};

/// Asks something of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum PaymentCommand {
    /// Begins an attempt, and says that the gateway is about to be called.
    Initiate {
        /// Which attempt: the id of the stream.
        payment: PaymentId,
        /// What it pays.
        order: OrderId,
        /// For which checkout.
        checkout: CheckoutId,
        /// At which gateway.
        gateway: Arc<str>,
        /// The host's token of the means of payment.
        method: Arc<str>,
        /// How much; more than zero.
        amount: Money,
        /// Take the money with the authorisation.
        capture: bool,
        /// When the attempt is given up.
        deadline: Timestamp,
        /// The key of the call.
        key: IdempotencyKey,
        /// When the outcome is looked up, should no answer be recorded.
        resolve_at: Timestamp,
    },
    /// The call failed and may have had its effect, or its outcome is still open: it is looked up later.
    MarkUnknown {
        /// The key of the call.
        key: IdempotencyKey,
        /// When it is looked up.
        resolve_at: Timestamp,
    },
    /// The gateway says that something happened: a fact, accepted in any order and any number of times.
    Record {
        /// The gateway's charge.
        charge: GatewayRef,
        /// What it says.
        fact: GatewayFact,
        /// When the gateway is asked about what this fact leads to, such as sending late money back.
        resolve_at: Timestamp,
    },
    /// The gateway says that it never saw our request and will not act on it.
    RecordNotFound,
    /// Asks for money of the authorisation.
    Capture {
        /// How much.
        amount: Money,
        /// When the outcome is looked up.
        resolve_at: Timestamp,
    },
    /// Gives the attempt up: a void where money is reserved, a refund where it was taken.
    Cancel {
        /// When the outcome is looked up.
        resolve_at: Timestamp,
    },
    /// The deadline is over; like a cancellation.
    Expire {
        /// When the outcome is looked up.
        resolve_at: Timestamp,
    },
    /// Asks to give money back.
    RequestRefund {
        /// Which refund; the same one again is a no-op.
        refund: RefundId,
        /// How much.
        amount: Money,
        /// Why.
        reason: Reason,
        /// When the outcome is looked up.
        resolve_at: Timestamp,
    },
    /// The gateway refused a capture, void or refund for good.
    RecordRefusal {
        /// The key of the call.
        key: IdempotencyKey,
        /// Its reason.
        code: Arc<str>,
    },
    /// The gateway carried out a capture, void or refund that we asked for under this key.
    RecordSettled {
        /// The key of the call.
        key: IdempotencyKey,
        /// The gateway's name of the operation.
        operation: GatewayRef,
        /// How much.
        amount: Money,
    },
}

impl Command for PaymentCommand {
    type Target = Payment;

    fn permission(&self) -> Permission {
        let action = match self {
            Self::Initiate { .. } => "initiate",
            Self::MarkUnknown { .. }
            | Self::Record { .. }
            | Self::RecordNotFound
            | Self::RecordRefusal { .. }
            | Self::RecordSettled { .. } => "record",
            Self::Capture { .. } => "capture",
            Self::Cancel { .. } | Self::Expire { .. } => "cancel",
            Self::RequestRefund { .. } => "refund",
        };
        Permission::new("payment", action)
    }

    fn stands_alone(&self) -> bool {
        // The calls that these announce are made by whoever handles the payment's timer.
        matches!(self, Self::Capture { .. } | Self::Cancel { .. } | Self::RequestRefund { .. })
    }
}
