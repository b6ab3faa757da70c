//! A payment gateway that fails.

use async_trait::async_trait;
use commerce_core::port::payment::{
    Authorize, CallbackError, CallbackRequest, Charge, GatewayError, IdempotencyKey, Lookup, Operation,
    PaymentGateway, Settled, VerifiedCallback,
};

use super::{Faulty, Port};

#[async_trait]
impl PaymentGateway for Faulty<dyn PaymentGateway> {
    fn name(&self) -> &'static str {
        self.port.name()
    }

    async fn authorize(&self, request: Authorize) -> Result<Charge, GatewayError> {
        let call = (Port::Gateway, "authorize");
        self.faults.around(call, || self.port.authorize(request.clone()), GatewayError::Port).await
    }

    async fn capture(&self, request: Operation) -> Result<Settled, GatewayError> {
        let call = (Port::Gateway, "capture");
        self.faults.around(call, || self.port.capture(request.clone()), GatewayError::Port).await
    }

    async fn void(&self, request: Operation) -> Result<Settled, GatewayError> {
        let call = (Port::Gateway, "void");
        self.faults.around(call, || self.port.void(request.clone()), GatewayError::Port).await
    }

    async fn refund(&self, request: Operation) -> Result<Settled, GatewayError> {
        let call = (Port::Gateway, "refund");
        self.faults.around(call, || self.port.refund(request.clone()), GatewayError::Port).await
    }

    async fn lookup(&self, key: &IdempotencyKey) -> Result<Lookup, GatewayError> {
        let call = (Port::Gateway, "lookup");
        self.faults.around(call, || self.port.lookup(key), GatewayError::Port).await
    }

    fn verify(&self, request: &CallbackRequest) -> Result<VerifiedCallback, CallbackError> {
        self.port.verify(request)
    }
}
