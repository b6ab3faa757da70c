//! A gateway whose messages and answers cross: what happens while a call is under way is decided by a test.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::app::commerce::Commerce;
use commerce_core::kernel::error::{Effect, PortError, PortErrorKind};
use commerce_core::port::payment::{
    Authorize, CallbackError, CallbackFact, CallbackRequest, Charge, ChargeState, GatewayError, GatewayFact,
    IdempotencyKey, Lookup, Operation, PaymentGateway, Settled, VerifiedCallback,
};
use commerce_core::value::Money;
use commerce_core::value::id::{OrderId, PaymentId};
use commerce_core::value::time::Timestamp;

use super::order::{Fact, happens};
use crate::fake::{Behaviour, Clock, Gateway};

/// What happens while the gateway's first call is under way.
#[derive(Debug, Clone, Default)]
pub(super) struct Meanwhile {
    /// In this order.
    pub(super) facts: Vec<Fact>,
    /// How long the gateway takes; others handle timers at the end of it.
    pub(super) takes: Duration,
    /// What the bank decides before anything else happens.
    pub(super) truth: Option<ChargeState>,
    /// Whether the answer arrives at all.
    pub(super) answer_lost: bool,
}

/// What a test knows of a checkout under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    pub(super) payment: PaymentId,
    pub(super) order: OrderId,
    pub(super) amount: Money,
}

/// A gateway in front of a [`Gateway`]; clones share everything.
#[derive(Debug, Clone)]
pub(super) struct Courier {
    pub(super) gateway: Gateway,
    clock: Clock,
    meanwhile: Arc<Mutex<Option<Meanwhile>>>,
    shop: Arc<OnceLock<Commerce>>,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Courier {
    pub(super) fn new(gateway: Gateway, clock: Clock) -> Self {
        let (meanwhile, shop, calls) = <_>::default();
        Self { gateway, clock, meanwhile, shop, calls }
    }

    /// Another process of the shop, which gets the messages and handles the timers.
    pub(super) fn serves(&self, shop: Commerce) {
        let _ = self.shop.set(shop);
    }

    /// What happens during the next call that authorises.
    pub(super) fn meanwhile(&self, meanwhile: Meanwhile) {
        *self.meanwhile.lock().unwrap_or_else(PoisonError::into_inner) = Some(meanwhile);
    }

    /// The last call that authorised.
    pub(super) fn last(&self) -> Option<Call> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).last().copied()
    }
}

/// The message that tells a fact, under an id of its own or one that was used before.
pub(super) fn message(gateway: &Gateway, call: Call, fact: GatewayFact, id: &str) -> Option<CallbackRequest> {
    let ledger = gateway.ledger();
    let account = ledger.accounts().find(|account| account.payment == call.payment)?;
    let charge = account.reference.clone();
    let at = Timestamp::UNIX_EPOCH;
    Some(Gateway::message(&CallbackFact { event: id.into(), payment: Some(call.payment), charge, fact, at }))
}

/// What the gateway would say of a charge in this state.
pub(super) fn fact(gateway: &Gateway, call: Call, state: &ChargeState) -> Option<GatewayFact> {
    let ledger = gateway.ledger();
    let account = ledger.accounts().find(|account| account.payment == call.payment)?;
    let amount = call.amount;
    Some(match state {
        ChargeState::RequiresAction { url } => GatewayFact::ActionRequired { url: url.clone() },
        ChargeState::Processing => GatewayFact::Processing,
        ChargeState::Authorized => GatewayFact::Authorized { amount },
        ChargeState::Captured => GatewayFact::Captured { operation: account.capture.clone(), amount },
        ChargeState::Declined { code } => GatewayFact::Declined { code: code.clone() },
        ChargeState::Voided => GatewayFact::Voided,
    })
}

fn lost() -> GatewayError {
    PortError::new(PortErrorKind::Timeout, Effect::Unknown, "courier", "authorize").into()
}

#[async_trait]
impl PaymentGateway for Courier {
    fn name(&self) -> &'static str {
        self.gateway.name()
    }

    async fn authorize(&self, request: Authorize) -> Result<Charge, GatewayError> {
        let call = Call { payment: request.payment, order: request.order, amount: request.amount };
        let key = request.key.clone();
        let mut answer = self.gateway.authorize(request).await;
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
        let meanwhile = self.meanwhile.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (Some(meanwhile), Some(shop)) = (meanwhile, self.shop.get()) else { return answer };
        if let Some(truth) = meanwhile.truth {
            let _ = self.gateway.decide(call.payment, truth);
            if let Lookup::Charge(charge) = self.gateway.lookup(&key).await? {
                answer = Ok(charge);
            }
        }
        for fact in &meanwhile.facts {
            happens(shop, &self.gateway, &self.clock, call, *fact).await;
        }
        if meanwhile.takes > Duration::ZERO {
            self.clock.advance(meanwhile.takes);
            let _ = shop.run_due().await;
        }
        if meanwhile.answer_lost { Err(lost()) } else { answer }
    }

    async fn capture(&self, request: Operation) -> Result<Settled, GatewayError> {
        self.gateway.capture(request).await
    }

    async fn void(&self, request: Operation) -> Result<Settled, GatewayError> {
        self.gateway.void(request).await
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

/// How the gateway behaves at the first call, by name.
pub(super) const BEHAVIOURS: [(&str, Behaviour); 8] = [
    ("approves", Behaviour::Approve),
    ("captures", Behaviour::Capture),
    ("declines", Behaviour::Decline("no-funds")),
    ("redirects", Behaviour::Redirect("https://bank.example/3ds")),
    ("processes", Behaviour::Process),
    ("loses the answer", Behaviour::LoseAnswer),
    ("captures and loses the answer", Behaviour::CaptureAndLoseAnswer),
    ("loses the request", Behaviour::LoseRequest),
];
