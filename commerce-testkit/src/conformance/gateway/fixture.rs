//! A gateway under test: a sandbox, and how it is made to answer.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use commerce_core::kernel::error::PortErrorKind;
use commerce_core::port::payment::{
    Authorize, CallbackRequest, Charge, ChargeState, GatewayError, IdempotencyKey, Operation, PaymentGateway,
};
use commerce_core::value::id::{OrderId, PaymentId};
use commerce_core::value::{Currency, Money};
use uuid::Uuid;

use super::super::outcome::{Failure, equal};
use super::super::suite::PortFixture;

/// A gateway that takes no real money, and what the checks need to know of it.
///
/// Whatever it is not told how to provoke is skipped by name.
#[derive(Clone)]
pub struct GatewayFixture {
    pub(super) gateway: Arc<dyn PaymentGateway>,
    /// Makes keys and payments of this run different from those of every other.
    run: Uuid,
    count: Arc<AtomicU64>,
    approves: Arc<str>,
    pub(super) declines: Option<Arc<str>>,
    currency: Currency,
    pub(super) callback: Option<CallbackRequest>,
    /// It takes all with the authorisation.
    takes_at_once: bool,
    pub(super) lose_answer: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl GatewayFixture {
    /// A sandbox that approves this means of payment. `run` tells this run from earlier ones, whose keys a
    /// sandbox may remember; a random UUID will do.
    pub fn new(gateway: impl PaymentGateway, approves: &str, run: Uuid) -> Self {
        Self {
            gateway: Arc::new(gateway),
            run,
            count: Arc::default(),
            approves: approves.into(),
            declines: None,
            currency: Currency::EUR,
            callback: None,
            takes_at_once: false,
            lose_answer: None,
        }
    }

    /// The sandbox declines this means of payment.
    #[must_use]
    pub fn declining(mut self, method: &str) -> Self {
        self.declines = Some(method.into());
        self
    }

    /// The gateway takes all with the authorisation: there is nothing to capture or to give up.
    #[must_use]
    pub const fn taking_at_once(mut self) -> Self {
        self.takes_at_once = true;
        self
    }

    /// Pays in another currency than euros.
    #[must_use]
    pub const fn paying_in(mut self, currency: Currency) -> Self {
        self.currency = currency;
        self
    }

    /// A callback as the gateway really sends it, headers and all.
    #[must_use]
    pub fn with_callback(mut self, genuine: CallbackRequest) -> Self {
        self.callback = Some(genuine);
        self
    }

    /// The next call is carried out, and its answer is lost.
    #[must_use]
    pub fn with_lost_answer(mut self, lose: impl Fn() + Send + Sync + 'static) -> Self {
        self.lose_answer = Some(Arc::new(lose));
        self
    }

    /// A key that no other call bears.
    pub(super) fn key(&self) -> IdempotencyKey {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        IdempotencyKey(format!("{}-{number}", self.run).into())
    }

    pub(super) fn money(&self, minor: i64) -> Money {
        Money::from_minor(minor, self.currency)
    }

    /// A request for a hundred minor units, times a hundred.
    pub(super) fn request(&self, key: &IdempotencyKey) -> Authorize {
        Authorize {
            key: key.clone(),
            payment: PaymentId::derived(self.run, key.0.as_bytes()),
            order: OrderId::derived(self.run, key.0.as_bytes()),
            amount: self.money(10_000),
            capture: false,
            method: self.approves.clone(),
        }
    }

    /// A charge of which nothing was taken yet.
    pub(super) async fn authorized(&self) -> Result<Charge, Failure> {
        self.charged(ChargeState::Authorized).await
    }

    /// A charge that was taken whole, by whatever call.
    pub(super) async fn captured(&self) -> Result<Charge, Failure> {
        if self.takes_at_once {
            return self.charged(ChargeState::Captured).await;
        }
        let charge = self.authorized().await?;
        self.gateway.capture(self.operation(&charge, 10_000)).await?;
        Ok(charge)
    }

    async fn charged(&self, state: ChargeState) -> Result<Charge, Failure> {
        let charge = self.gateway.authorize(self.request(&self.key())).await?;
        equal("the state of a charge by an approved means of payment", &charge.state, &state)?;
        Ok(charge)
    }

    /// An operation on a charge, under a key of its own.
    pub(super) fn operation(&self, charge: &Charge, minor: i64) -> Operation {
        let (key, charge) = (self.key(), charge.reference.clone());
        let payment = PaymentId::derived(self.run, charge.0.as_bytes());
        Operation { key, payment, charge, amount: self.money(minor) }
    }
}

impl PortFixture for GatewayFixture {
    fn unmet(&self, check: &str) -> Option<&'static str> {
        match check {
            "gateway_decline_is_final" if self.declines.is_none() => {
                Some("the fixture names no means of payment that is declined")
            }
            "gateway_lost_answer_is_looked_up" if self.lose_answer.is_none() => {
                Some("the fixture cannot lose an answer")
            }
            "gateway_genuine_callback_is_read"
            | "gateway_altered_callback_is_refused"
            | "gateway_unsigned_callback_is_refused"
                if self.callback.is_none() =>
            {
                Some("the fixture has no callback")
            }
            "gateway_captures_no_more_than_authorised"
            | "gateway_same_key_captures_once"
            | "gateway_void_gives_up"
                if self.takes_at_once =>
            {
                Some("the gateway takes all with the authorisation")
            }
            _ => None,
        }
    }
}

impl fmt::Debug for GatewayFixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewayFixture").field("gateway", &self.gateway).finish_non_exhaustive()
    }
}

impl From<GatewayError> for Failure {
    fn from(error: GatewayError) -> Self {
        Self::new(format!("a call that must pass failed: {error} ({error:?})"))
    }
}

/// A refusal for good, as a decline or as a request that makes no sense; not a failure that may pass.
pub(super) fn is_final<T>(result: &Result<T, GatewayError>) -> bool {
    match result {
        Err(GatewayError::Declined { .. }) => true,
        Err(GatewayError::Port(error)) => error.kind == PortErrorKind::Invalid,
        _ => false,
    }
}
