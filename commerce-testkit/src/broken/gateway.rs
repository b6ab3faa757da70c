//! A gateway that breaks one clause of its contract on demand, around another that keeps it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use commerce_core::kernel::error::{Effect, PortError, PortErrorKind};
use commerce_core::port::payment::{
    Authorize, CallbackError, CallbackRequest, Charge, GatewayError, GatewayRef, IdempotencyKey, Lookup,
    Operation, PaymentGateway, Settled, VerifiedCallback,
};
use commerce_core::value::Money;

breaks! {
    /// One way to break the contract of a payment gateway.
    pub enum GatewayBreak;

    /// Its name changes.
    ChangesItsName => gateway_has_one_name,
    /// It charges another amount.
    ChargesMore => gateway_charges_what_is_asked_for,
    /// A repeat is another charge.
    ChargesAgain => gateway_same_key_is_one_charge,
    /// Every key is the first charge.
    ChargesOnceOnly => gateway_other_key_is_another_charge,
    /// A decline may be approved later.
    ChangesItsMind => gateway_decline_is_final,
    /// A charge is not found.
    ForgetsCharges => gateway_charge_is_looked_up,
    /// Every key is found.
    FindsEverything => gateway_unknown_key_is_not_found,
    /// A charge whose answer was lost is not found.
    ForgetsLostAnswers => gateway_lost_answer_is_looked_up,
    /// It takes whatever is asked for.
    CapturesAnything => gateway_captures_no_more_than_authorised,
    /// A repeat of a capture takes again.
    CapturesAgain => gateway_same_key_captures_once,
    /// A charge that is given up cannot be given up.
    VoidsOnce => gateway_void_gives_up,
    /// It gives back whatever is asked for.
    RefundsAnything => gateway_refunds_no_more_than_taken,
    /// A repeat of a refund gives back again.
    RefundsAgain => gateway_same_key_refunds_once,
    /// Equal refunds are taken for one.
    MergesRefunds => gateway_equal_refunds_are_two,
    /// A refund is not found.
    ForgetsRefunds => gateway_operation_is_looked_up,
    /// It accepts no callback.
    AcceptsNoCallback => gateway_genuine_callback_is_read,
    /// It reads what is signed for another body.
    IgnoresTheBody => gateway_altered_callback_is_refused,
    /// It says what is wrong with a body that is not signed.
    ReadsBeforeItChecks => gateway_unsigned_callback_is_refused,
}

/// Breaks one clause of the contract of the gateway that it stands before.
#[derive(Debug)]
pub struct BrokenGateway {
    gateway: Arc<dyn PaymentGateway>,
    flaw: Option<GatewayBreak>,
    calls: AtomicU64,
    first: Mutex<Option<Charge>>,
    refunds: Mutex<Vec<(GatewayRef, Money, Settled)>>,
    genuine: Option<CallbackRequest>,
}

impl BrokenGateway {
    /// Before this gateway, which keeps the contract itself; it knows a genuine callback.
    pub fn before(
        gateway: Arc<dyn PaymentGateway>,
        genuine: Option<CallbackRequest>,
        flaw: Option<GatewayBreak>,
    ) -> Self {
        let (calls, first, refunds) = (AtomicU64::default(), Mutex::default(), Mutex::default());
        Self { gateway, flaw, calls, first, refunds, genuine }
    }

    fn has(&self, flaw: GatewayBreak) -> bool {
        self.flaw == Some(flaw)
    }

    /// A key that was never used.
    fn another(&self, key: &IdempotencyKey) -> IdempotencyKey {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        IdempotencyKey(format!("{}-again-{number}", key.0).into())
    }
}

fn anything(request: &Operation) -> Settled {
    Settled { reference: GatewayRef(request.key.0.clone()), amount: request.amount }
}

#[async_trait]
impl PaymentGateway for BrokenGateway {
    fn name(&self) -> &'static str {
        let called = self.calls.load(Ordering::Relaxed) > 0;
        if called && self.has(GatewayBreak::ChangesItsName) { "another" } else { self.gateway.name() }
    }

    async fn authorize(&self, mut request: Authorize) -> Result<Charge, GatewayError> {
        if self.has(GatewayBreak::ChargesAgain) {
            request.key = self.another(&request.key);
        }
        self.calls.fetch_add(1, Ordering::Relaxed);
        if self.has(GatewayBreak::ChargesMore) {
            request.amount =
                Money::from_minor(request.amount.minor().saturating_add(1), request.amount.currency());
        }
        let charge = match self.gateway.authorize(request.clone()).await {
            Err(GatewayError::Declined { .. })
                if self.has(GatewayBreak::ChangesItsMind) && self.calls.load(Ordering::Relaxed) > 1 =>
            {
                return Err(
                    PortError::new(PortErrorKind::Unavailable, Effect::None, "broken", "authorize").into()
                );
            }
            charge => charge?,
        };
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        let first = first.get_or_insert_with(|| charge.clone()).clone();
        Ok(if self.has(GatewayBreak::ChargesOnceOnly) { first } else { charge })
    }

    async fn capture(&self, mut request: Operation) -> Result<Settled, GatewayError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if self.has(GatewayBreak::CapturesAnything) {
            return Ok(anything(&request));
        }
        if self.has(GatewayBreak::CapturesAgain) {
            request.key = self.another(&request.key);
        }
        self.gateway.capture(request).await
    }

    async fn void(&self, request: Operation) -> Result<Settled, GatewayError> {
        let before = self.calls.fetch_add(1, Ordering::Relaxed);
        if self.has(GatewayBreak::VoidsOnce) && before > 2 {
            return Err(GatewayError::Declined { code: "not-possible".into() });
        }
        self.gateway.void(request).await
    }

    async fn refund(&self, mut request: Operation) -> Result<Settled, GatewayError> {
        if self.has(GatewayBreak::RefundsAnything) {
            return Ok(anything(&request));
        }
        if self.has(GatewayBreak::RefundsAgain) {
            request.key = self.another(&request.key);
        }
        let known = {
            let refunds = self.refunds.lock().unwrap_or_else(PoisonError::into_inner);
            let same = refunds
                .iter()
                .find(|(charge, amount, _)| (charge, amount) == (&request.charge, &request.amount));
            same.map(|(.., settled)| settled.clone())
        };
        if let Some(known) = known.filter(|_| self.has(GatewayBreak::MergesRefunds)) {
            return Ok(known);
        }
        let (charge, amount) = (request.charge.clone(), request.amount);
        let settled = self.gateway.refund(request).await?;
        self.refunds.lock().unwrap_or_else(PoisonError::into_inner).push((charge, amount, settled.clone()));
        Ok(settled)
    }

    async fn lookup(&self, key: &IdempotencyKey) -> Result<Lookup, GatewayError> {
        let found = self.gateway.lookup(key).await?;
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).is_none();
        Ok(match (self.flaw, found) {
            (Some(GatewayBreak::ForgetsCharges), Lookup::Charge(_))
            | (Some(GatewayBreak::ForgetsRefunds), Lookup::Settled(_)) => Lookup::NotFound,
            // Nothing was answered before: the answer to the only charge was lost.
            (Some(GatewayBreak::ForgetsLostAnswers), Lookup::Charge(_)) if first => Lookup::NotFound,
            (Some(GatewayBreak::FindsEverything), Lookup::NotFound) => {
                Lookup::Refused { code: "unknown".into() }
            }
            (_, found) => found,
        })
    }

    fn verify(&self, request: &CallbackRequest) -> Result<VerifiedCallback, CallbackError> {
        match self.flaw {
            Some(GatewayBreak::AcceptsNoCallback) => Err(CallbackError::Signature),
            Some(GatewayBreak::IgnoresTheBody) => match &self.genuine {
                Some(genuine) if genuine.headers == request.headers => self.gateway.verify(genuine),
                _ => self.gateway.verify(request),
            },
            Some(GatewayBreak::ReadsBeforeItChecks) if request.headers.is_empty() => {
                Err(CallbackError::Malformed("not a message"))
            }
            _ => self.gateway.verify(request),
        }
    }
}
