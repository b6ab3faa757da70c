//! Callbacks: the buyer or the bank decides, and the gateway tells.

use commerce_core::port::payment::{
    CallbackError, CallbackFact, CallbackRequest, ChargeState, GatewayFact, VerifiedCallback,
};
use commerce_core::value::id::PaymentId;
use commerce_core::value::time::Timestamp;
use uuid::Uuid;

use super::Gateway;

/// The header that proves a message.
const SIGNATURE: &str = "fake-signature";
/// What only the gateway and the shop know.
const SECRET: Uuid = Uuid::from_u128(0x5e_c7e7);

fn sign(body: &[u8]) -> String {
    Uuid::new_v5(&SECRET, body).to_string()
}

/// Checks the signature over the bytes, then reads them.
pub(super) fn verify(request: &CallbackRequest) -> Result<VerifiedCallback, CallbackError> {
    let signed = request.headers.iter().find(|(name, _)| name == SIGNATURE);
    if signed.is_none_or(|(_, signature)| *signature != sign(&request.body)) {
        return Err(CallbackError::Signature);
    }
    let fact = serde_json::from_slice(&request.body).map_err(|_| CallbackError::Malformed("not a fact"))?;
    Ok(VerifiedCallback::assert_verified(fact))
}

impl Gateway {
    /// The message that tells this fact, signed.
    pub fn message(fact: &CallbackFact) -> CallbackRequest {
        let body = serde_json::to_vec(fact).unwrap_or_default();
        CallbackRequest { headers: vec![(SIGNATURE.to_owned(), sign(&body))], body }
    }

    /// The buyer or the bank decides: books it and gives the message that tells it. `None` where there is
    /// no charge for the payment.
    pub fn decide(&self, payment: PaymentId, state: ChargeState) -> Option<CallbackRequest> {
        let mut inner = self.lock();
        inner.messages += 1;
        let event = format!("message-{}", inner.messages).into();
        let reference = {
            let account = inner.ledger.accounts().find(|account| account.payment == payment)?;
            account.reference.clone()
        };
        let account = inner.ledger.account(&reference)?;
        account.state = state.clone();
        if state == ChargeState::Captured {
            account.captured = account.amount.minor();
        }
        let (amount, operation) = (account.amount, account.capture.clone());
        let fact = match state {
            ChargeState::RequiresAction { url } => GatewayFact::ActionRequired { url },
            ChargeState::Processing => GatewayFact::Processing,
            ChargeState::Authorized => GatewayFact::Authorized { amount },
            ChargeState::Captured => GatewayFact::Captured { operation, amount },
            ChargeState::Declined { code } => GatewayFact::Declined { code },
            ChargeState::Voided => GatewayFact::Voided,
        };
        let at = Timestamp::UNIX_EPOCH;
        Some(Self::message(&CallbackFact { event, payment: Some(payment), charge: reference, fact, at }))
    }
}
