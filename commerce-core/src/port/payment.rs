//! Payment gateways.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::kernel::error::PortError;
use crate::value::Money;
use crate::value::id::{OrderId, PaymentId};
use crate::value::time::Timestamp;

/// Makes a call repeatable: a gateway answers the same key with the first result.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdempotencyKey(pub Arc<str>);

/// The gateway's name for a charge, capture or refund.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GatewayRef(pub Arc<str>);

/// A request to reserve or take money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorize {
    /// Repeats of the call bear the same key.
    pub key: IdempotencyKey,
    /// Our payment, sent along as the merchant's reference.
    pub payment: PaymentId,
    /// The order it pays.
    pub order: OrderId,
    /// How much.
    pub amount: Money,
    /// Take the money at once, where the gateway can.
    pub capture: bool,
    /// The host's token of the means of payment; never a card number.
    pub method: Arc<str>,
}

/// A request about an authorised charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Repeats of the call bear the same key.
    pub key: IdempotencyKey,
    /// Our payment.
    pub payment: PaymentId,
    /// The gateway's charge.
    pub charge: GatewayRef,
    /// How much; for a void what was authorised.
    pub amount: Money,
}

/// What the gateway says of a charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChargeState {
    /// The buyer has to confirm it there.
    RequiresAction {
        /// Where.
        url: Arc<str>,
    },
    /// The gateway works on it and will call back.
    Processing,
    /// Money is reserved.
    Authorized,
    /// Money is taken.
    Captured,
    /// Refused for good.
    Declined {
        /// The gateway's reason.
        code: Arc<str>,
    },
    /// The reservation was given up.
    Voided,
}

/// A charge at the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// The gateway's name for it.
    pub reference: GatewayRef,
    /// Where it stands.
    pub state: ChargeState,
    /// How much it is about.
    pub amount: Money,
}

/// A finished capture, void or refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// The gateway's name for this operation.
    pub reference: GatewayRef,
    /// How much it moved.
    pub amount: Money,
}

/// What came of an operation that was looked up by its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// The gateway never saw this key and will not act on it later without a new request.
    NotFound,
    /// A charge.
    Charge(Charge),
    /// A capture, void or refund.
    Settled(Settled),
    /// An operation that was refused.
    Refused {
        /// The gateway's reason.
        code: Arc<str>,
    },
}

/// A gateway refuses or fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GatewayError {
    /// Refused for good: asking again does not help.
    #[error("declined: {code}")]
    Declined {
        /// The gateway's reason, a short code without personal data.
        code: Arc<str>,
    },
    /// The call failed; whether it had its effect is said there.
    #[error("the gateway failed")]
    Port(#[from] PortError),
}

/// What arrives at the host's webhook.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallbackRequest {
    /// Header names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body as it arrived; signatures cover its bytes.
    pub body: Vec<u8>,
}

/// The longest body of a callback that is looked at, in bytes.
pub const MAX_CALLBACK: usize = 64 * 1024;

/// Something that a gateway says has happened to a charge.
///
/// A gateway that captures with the authorisation names that capture by the charge's own reference, in
/// answers and callbacks alike, so that the two are known for one. The same name tells the state of a charge
/// that is looked up: what was taken of it in all, also where calls of their own took it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GatewayFact {
    /// The buyer has to confirm it.
    ActionRequired {
        /// Where.
        url: Arc<str>,
    },
    /// The gateway works on it.
    Processing,
    /// Money is reserved.
    Authorized {
        /// How much.
        amount: Money,
    },
    /// Money was taken.
    Captured {
        /// The gateway's name of this capture.
        operation: GatewayRef,
        /// How much this capture took.
        amount: Money,
    },
    /// Refused for good.
    Declined {
        /// The gateway's reason.
        code: Arc<str>,
    },
    /// The reservation was given up.
    Voided,
    /// Money was given back.
    Refunded {
        /// The gateway's name of this refund.
        operation: GatewayRef,
        /// How much this refund gave back.
        amount: Money,
    },
    /// The buyer disputes the charge with their bank.
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
        /// How much goes back to the buyer; zero where the shop won.
        charged_back: Money,
    },
}

impl Charge {
    /// What the answer to an authorisation says has happened.
    pub fn fact(&self) -> GatewayFact {
        match &self.state {
            ChargeState::RequiresAction { url } => GatewayFact::ActionRequired { url: url.clone() },
            ChargeState::Processing => GatewayFact::Processing,
            ChargeState::Authorized => GatewayFact::Authorized { amount: self.amount },
            ChargeState::Captured => {
                GatewayFact::Captured { operation: self.reference.clone(), amount: self.amount }
            }
            ChargeState::Declined { code } => GatewayFact::Declined { code: code.clone() },
            ChargeState::Voided => GatewayFact::Voided,
        }
    }
}

/// What a callback reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackFact {
    /// The gateway's id of this message: the same id twice is one message.
    pub event: Arc<str>,
    /// Our payment, from the merchant's reference.
    pub payment: Option<PaymentId>,
    /// The gateway's charge.
    pub charge: GatewayRef,
    /// What happened to it.
    pub fact: GatewayFact,
    /// When it happened there.
    pub at: Timestamp,
}

/// A callback whose origin was proved; only a gateway's [`verify`](PaymentGateway::verify) makes one.
///
/// The facade accepts nothing else, so an unverified message cannot reach a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedCallback {
    fact: CallbackFact,
}

impl VerifiedCallback {
    /// Asserts that the message was authenticated. To be called by gateways, behind their check.
    pub const fn assert_verified(fact: CallbackFact) -> Self {
        Self { fact }
    }

    /// What is reported.
    pub const fn fact(&self) -> &CallbackFact {
        &self.fact
    }
}

/// A callback is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackError {
    /// The signature is missing or wrong.
    #[error("the signature is not the gateway's")]
    Signature,
    /// The message cannot be read.
    #[error("the message cannot be read: {0}")]
    Malformed(&'static str),
    /// The body is longer than [`MAX_CALLBACK`].
    #[error("the message is too long")]
    TooLong,
}

/// Reserves, takes and gives back money.
#[async_trait]
pub trait PaymentGateway: Debug + Send + Sync + 'static {
    /// Names the gateway; stored with its payments, so it never changes.
    ///
    /// # Contract
    ///
    /// Constant; unique among the gateways of a shop.
    fn name(&self) -> &'static str;

    /// Reserves money, or takes it at once where `capture` says so and the gateway can.
    ///
    /// # Contract
    ///
    /// The same key again answers with the first result and charges nothing more. `Declined` is final.
    /// An error with an unknown effect is resolved by [`lookup`](Self::lookup).
    async fn authorize(&self, request: Authorize) -> Result<Charge, GatewayError>;

    /// Takes money of an authorised charge, in part or whole.
    ///
    /// # Contract
    ///
    /// Never takes more than was authorised. The same key again takes nothing more.
    async fn capture(&self, request: Operation) -> Result<Settled, GatewayError>;

    /// Gives up an authorised charge of which nothing was taken.
    ///
    /// # Contract
    ///
    /// The same key again does nothing more; a charge that is given up already counts as success.
    async fn void(&self, request: Operation) -> Result<Settled, GatewayError>;

    /// Gives back money that was taken, in part or whole.
    ///
    /// # Contract
    ///
    /// Never gives back more than was taken. The same key again gives back nothing more.
    async fn refund(&self, request: Operation) -> Result<Settled, GatewayError>;

    /// What came of the call with this key.
    ///
    /// # Contract
    ///
    /// `NotFound` only where the call did not and will not have an effect. Reads only.
    async fn lookup(&self, key: &IdempotencyKey) -> Result<Lookup, GatewayError>;

    /// Authenticates a callback and reads it.
    ///
    /// # Contract
    ///
    /// Checks the signature over the bytes of the body before it looks at them. Changes nothing.
    fn verify(&self, request: &CallbackRequest) -> Result<VerifiedCallback, CallbackError>;
}
