//! A gateway that knows who calls: no checkout asks for money once it is being undone.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use commerce_core::checkout::{Checkout, CheckoutEvent};
use commerce_core::kernel::aggregate::stream_of;
use commerce_core::kernel::codec::decode;
use commerce_core::kernel::stream::Version;
use commerce_core::payments::{Payment, PaymentEvent};
use commerce_core::port::payment::{
    Authorize, CallbackError, CallbackRequest, Charge, GatewayError, IdempotencyKey, Lookup, Operation,
    PaymentGateway, Settled, VerifiedCallback,
};
use commerce_core::port::store::{MAX_PAGE, Store};
use commerce_core::value::id::PaymentId;

use super::{Breach, Rule};

/// Stands between a shop and its gateway and reads the store at every call. Clones share what they saw.
#[derive(Debug, Clone)]
pub struct WatchedGateway {
    gateway: Arc<dyn PaymentGateway>,
    store: Arc<dyn Store>,
    seen: Arc<Mutex<Seen>>,
    alone: bool,
}

#[derive(Debug, Default)]
struct Seen {
    breaches: Vec<Breach>,
    unvoided: BTreeSet<PaymentId>,
}

impl WatchedGateway {
    /// Watches the calls of a gateway; the store is that of the shop, without faults.
    pub fn on(gateway: Arc<dyn PaymentGateway>, store: Arc<dyn Store>) -> Self {
        Self { gateway, store, seen: Arc::default(), alone: true }
    }

    /// For several processes at once: what one decided to ask for may arrive when another undoes. Then it
    /// only counts whether the call was announced; what it brought is undone as well.
    #[must_use]
    pub fn among_others(mut self) -> Self {
        self.alone = false;
        self
    }

    /// Calls that must not have been made, since the last time.
    pub fn take_breaches(&self) -> Vec<Breach> {
        std::mem::take(&mut self.seen().breaches)
    }

    /// Whether the gateway has refused to give up what it had reserved.
    pub fn refused_to_void(&self, payment: PaymentId) -> bool {
        self.seen().unvoided.contains(&payment)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a call that the shop has not announced, or that a checkout makes while it is undone.
    async fn forward(&self, payment: PaymentId, call: &str) {
        let stream = stream_of::<Payment>(payment);
        let begun = self.store.read_stream(&stream, Version::NONE, 1).await.unwrap_or_default();
        let event = begun.first().and_then(|recorded| decode(&recorded.event).ok());
        let Some(PaymentEvent::Initiated { checkout, .. }) = event else {
            let what = format!("{call} of {payment}, which was not announced");
            self.seen().breaches.push(Breach::new(Rule::Money, what));
            return;
        };
        if !self.alone {
            return;
        }
        let stream = stream_of::<Checkout>(checkout);
        let course = self.store.read_stream(&stream, Version::NONE, MAX_PAGE).await.unwrap_or_default();
        let undone = course
            .iter()
            .any(|recorded| matches!(decode(&recorded.event), Ok(CheckoutEvent::CompensationStarted { .. })));
        if undone {
            let what = format!("{call} of {payment} while {checkout} is undone");
            self.seen().breaches.push(Breach::new(Rule::Sagas, what));
        }
    }
}

#[async_trait]
impl PaymentGateway for WatchedGateway {
    fn name(&self) -> &'static str {
        self.gateway.name()
    }

    async fn authorize(&self, request: Authorize) -> Result<Charge, GatewayError> {
        self.forward(request.payment, "authorize").await;
        self.gateway.authorize(request).await
    }

    async fn capture(&self, request: Operation) -> Result<Settled, GatewayError> {
        self.forward(request.payment, "capture").await;
        self.gateway.capture(request).await
    }

    async fn void(&self, request: Operation) -> Result<Settled, GatewayError> {
        let payment = request.payment;
        let answer = self.gateway.void(request).await;
        if matches!(answer, Err(GatewayError::Declined { .. })) {
            self.seen().unvoided.insert(payment);
        }
        answer
    }

    async fn refund(&self, request: Operation) -> Result<Settled, GatewayError> {
        self.gateway.refund(request).await
    }

    async fn lookup(&self, key: &IdempotencyKey) -> Result<Lookup, GatewayError> {
        self.gateway.lookup(key).await
    }

    fn verify(&self, request: &CallbackRequest) -> Result<VerifiedCallback, CallbackError> {
        self.gateway.verify(request)
    }
}
