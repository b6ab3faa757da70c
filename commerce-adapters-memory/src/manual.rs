//! Payment that people handle: cash, invoice, bank transfer.

use async_trait::async_trait;
use commerce_core::port::payment::{
    Authorize, CallbackError, CallbackRequest, Charge, ChargeState, GatewayError, GatewayRef, IdempotencyKey,
    Lookup, Operation, PaymentGateway, Settled, VerifiedCallback,
};

/// Accepts every payment and moves no money: somebody at the counter or in the accounts does.
///
/// References follow from the keys of the calls, so that a repeat is the same operation without anything
/// being remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ManualPayment {
    captures: bool,
}

impl ManualPayment {
    /// The money is there when the order is placed, as at a counter.
    pub const fn captures() -> Self {
        Self { captures: true }
    }

    /// The money is promised when the order is placed, and captured by a call of its own.
    pub const fn authorizes() -> Self {
        Self { captures: false }
    }
}

fn settled(request: Operation) -> Settled {
    Settled { reference: GatewayRef(request.key.0), amount: request.amount }
}

#[async_trait]
impl PaymentGateway for ManualPayment {
    fn name(&self) -> &'static str {
        "manual"
    }

    async fn authorize(&self, request: Authorize) -> Result<Charge, GatewayError> {
        let captured = self.captures || request.capture;
        let state = if captured { ChargeState::Captured } else { ChargeState::Authorized };
        Ok(Charge { reference: GatewayRef(request.key.0), state, amount: request.amount })
    }

    async fn capture(&self, request: Operation) -> Result<Settled, GatewayError> {
        Ok(settled(request))
    }

    async fn void(&self, request: Operation) -> Result<Settled, GatewayError> {
        Ok(settled(request))
    }

    async fn refund(&self, request: Operation) -> Result<Settled, GatewayError> {
        Ok(settled(request))
    }

    async fn lookup(&self, _key: &IdempotencyKey) -> Result<Lookup, GatewayError> {
        // Nothing has an effect here; making the call again gives the same references.
        Ok(Lookup::NotFound)
    }

    fn verify(&self, _request: &CallbackRequest) -> Result<VerifiedCallback, CallbackError> {
        Err(CallbackError::Signature)
    }
}
