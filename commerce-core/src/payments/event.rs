//! What happens to payments.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::event_types;
use crate::port::payment::{GatewayRef, IdempotencyKey};
use crate::value::id::{CheckoutId, OrderId, PaymentId, RefundId};
use crate::value::time::Timestamp;
use crate::value::{Money, Reason};

/// A fact about a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PaymentEvent {
    /// An attempt begins.
    Initiated {
        /// Which attempt.
        payment: PaymentId,
        /// What it pays.
        order: OrderId,
        /// For which checkout.
        checkout: CheckoutId,
        /// At which gateway.
        gateway: Arc<str>,
        /// The host's token of the means of payment.
        method: Arc<str>,
        /// How much.
        amount: Money,
        /// Whether the money is taken with the authorisation.
        capture: bool,
        /// When the attempt is given up.
        deadline: Timestamp,
    },
    /// The gateway is about to be called.
    RequestSent {
        /// The key of the call.
        key: IdempotencyKey,
        /// When the outcome is looked up, should no answer be recorded.
        resolve_at: Timestamp,
    },
    /// Nobody knows whether the call had its effect.
    OutcomeUnknown {
        /// The key of the call; `None` for the authorisation.
        key: Option<IdempotencyKey>,
        /// When it is looked up.
        resolve_at: Timestamp,
    },
    /// The gateway works on it.
    ProcessingReported {
        /// The gateway's charge.
        charge: GatewayRef,
    },
    /// The buyer has to confirm it.
    ActionRequired {
        /// The gateway's charge.
        charge: GatewayRef,
        /// Where.
        url: Arc<str>,
    },
    /// The gateway's name of the charge is known: callbacks that bear it alone find the payment.
    Referenced {
        /// Which gateway.
        gateway: Arc<str>,
        /// The gateway's charge.
        charge: GatewayRef,
    },
    /// Money is reserved.
    Authorized {
        /// The gateway's charge.
        charge: GatewayRef,
        /// How much.
        amount: Money,
    },
    /// The money is about to be taken.
    CaptureRequested {
        /// The key of the call.
        key: IdempotencyKey,
        /// How much.
        amount: Money,
        /// When the outcome is looked up.
        resolve_at: Timestamp,
    },
    /// Money was taken.
    Captured {
        /// The gateway's charge.
        charge: GatewayRef,
        /// The gateway's name of this capture.
        operation: GatewayRef,
        /// How much.
        amount: Money,
        /// The key of our call, where the capture is the outcome of one.
        key: Option<IdempotencyKey>,
    },
    /// The gateway refuses to take it.
    CaptureFailed {
        /// The key of the call.
        key: IdempotencyKey,
        /// The gateway's reason.
        code: Arc<str>,
    },
    /// The gateway refuses the payment.
    Failed {
        /// What it would have paid.
        order: OrderId,
        /// The gateway's reason.
        code: Arc<str>,
    },
    /// The deadline passed.
    Expired,
    /// The reservation of money is about to be given up.
    VoidRequested {
        /// The key of the call.
        key: IdempotencyKey,
        /// When the outcome is looked up.
        resolve_at: Timestamp,
    },
    /// The attempt is given up; nothing is reserved.
    Voided {
        /// The key of our call, where one was made.
        key: Option<IdempotencyKey>,
    },
    /// Money is about to be given back.
    RefundRequested {
        /// Which refund.
        refund: RefundId,
        /// The key of the call.
        key: IdempotencyKey,
        /// How much.
        amount: Money,
        /// Why.
        reason: Reason,
        /// When the outcome is looked up.
        resolve_at: Timestamp,
    },
    /// Money was given back.
    Refunded {
        /// Our refund, where the gateway's matches one.
        refund: Option<RefundId>,
        /// The key of our call, where one was made.
        key: Option<IdempotencyKey>,
        /// The gateway's name of this refund.
        operation: GatewayRef,
        /// How much.
        amount: Money,
    },
    /// The gateway refuses to give it back.
    RefundFailed {
        /// Which refund.
        refund: RefundId,
        /// The key of the call.
        key: IdempotencyKey,
        /// The gateway's reason.
        code: Arc<str>,
    },
    /// The buyer disputes the charge.
    DisputeOpened {
        /// The gateway's name of the dispute.
        operation: GatewayRef,
        /// How much.
        amount: Money,
    },
    /// A dispute was decided.
    DisputeClosed {
        /// The gateway's name of the dispute.
        operation: GatewayRef,
        /// How much goes back to the buyer.
        charged_back: Money,
    },
}

event_types! {
    PaymentEvent {
        Initiated => "PaymentInitiated" v1,
        RequestSent => "PaymentRequestSent" v1,
        OutcomeUnknown => "PaymentOutcomeUnknown" v1,
        ProcessingReported => "PaymentProcessingReported" v1,
        ActionRequired => "PaymentActionRequired" v1,
        Referenced => "PaymentReferenced" v1,
        Authorized => "PaymentAuthorized" v1,
        CaptureRequested => "CaptureRequested" v1,
        Captured => "PaymentProcessed" v1,
        CaptureFailed => "CaptureFailed" v1,
        Failed => "PaymentFailed" v1,
        Expired => "PaymentExpired" v1,
        VoidRequested => "VoidRequested" v1,
        Voided => "PaymentVoided" v1,
        RefundRequested => "RefundRequested" v1,
        Refunded => "RefundProcessed" v1,
        RefundFailed => "RefundFailed" v1,
        DisputeOpened => "DisputeOpened" v1,
        DisputeClosed => "DisputeClosed" v1,
    }
}
