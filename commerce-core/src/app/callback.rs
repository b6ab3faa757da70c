//! Callbacks of gateways: verified, resolved, recorded once.

use serde::Serialize;

use super::commerce::Commerce;
use super::commit::MAX_ATTEMPTS;
use super::reading::Ask;
use crate::checkout::party::tell;
use crate::checkout::steps::{advance, note_payment};
use crate::checkout::{CheckoutError, payment_of};
use crate::kernel::aggregate::Aggregate;
use crate::kernel::batch::Batch;
use crate::kernel::commit::Load;
use crate::kernel::error::{CommitError, ErrorClass};
use crate::kernel::mark::{Fingerprint, Mark, MarkKey};
use crate::payments::quarantine::QuarantineCommand;
use crate::payments::{Payment, PaymentCommand, PaymentError, QuarantineEntry, QuarantineReason};
use crate::port::payment::{CallbackError, CallbackFact, CallbackRequest, MAX_CALLBACK, VerifiedCallback};
use crate::value::id::PaymentId;

/// What came of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallbackOutcome {
    /// It told something new.
    Recorded,
    /// It was known.
    AlreadyKnown,
}

/// A callback is not accepted; no payment, order or checkout changed. The message is kept in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PaymentCallbackError {
    /// There is no gateway of this name.
    #[error("there is no such payment gateway")]
    NoGateway,
    /// The gateway does not recognise it as its own.
    #[error("the gateway does not recognise it")]
    Callback(#[from] CallbackError),
    /// It is about no payment of this shop, or not yet. To be delivered again.
    #[error("it is about no payment of this shop")]
    UnknownPayment,
    /// It does not fit the payment: another amount, currency or charge.
    #[error("it does not fit the payment")]
    Payment(#[from] PaymentError),
    /// The id of the message was used for another message.
    #[error("the id of the message was used for another message")]
    MessageReused,
    /// The checkout could not go on.
    #[error("the checkout could not go on")]
    Checkout(#[from] CheckoutError),
}

impl PaymentCallbackError {
    /// What to do about it: the HTTP status in one match.
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Checkout(error) => error.class(),
            Self::UnknownPayment => ErrorClass::Contended,
            _ => ErrorClass::Refused,
        }
    }
}

const fn quarantine_reason(error: &CallbackError) -> QuarantineReason {
    match error {
        CallbackError::Signature => QuarantineReason::Signature,
        CallbackError::Malformed(_) => QuarantineReason::Malformed,
        CallbackError::TooLong => QuarantineReason::TooLong,
    }
}

#[derive(Serialize)]
struct Handled {
    payment: PaymentId,
}

impl Commerce {
    /// Takes a message that arrived at the host's webhook.
    ///
    /// The gateway of this name proves the message first; nothing else can reach a payment. The same
    /// message again, and the same fact in another message, change nothing. A checkout that waited for it
    /// goes on at once.
    ///
    /// # Errors
    ///
    /// [`PaymentCallbackError`]; nothing changed. Answer the gateway with success only where this succeeds.
    pub async fn payment_callback(
        &self,
        provider: &str,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    ) -> Result<CallbackOutcome, PaymentCallbackError> {
        let gateway = self.gateway(provider).ok_or(PaymentCallbackError::NoGateway)?;
        let request = CallbackRequest { headers, body };
        let verified = if request.body.len() > MAX_CALLBACK {
            Err(CallbackError::TooLong)
        } else {
            gateway.verify(&request)
        };
        let verified = match verified {
            Ok(verified) => verified,
            Err(error) => {
                self.quarantine(provider, quarantine_reason(&error), &request.body, None).await;
                return Err(error.into());
            }
        };
        let fact = verified.fact().clone();
        let outcome = self.payment_fact(provider, verified).await;
        let reason = match &outcome {
            Err(PaymentCallbackError::UnknownPayment) => Some(QuarantineReason::UnknownPayment),
            Err(PaymentCallbackError::Payment(_)) => Some(QuarantineReason::Mismatch),
            Err(PaymentCallbackError::MessageReused) => Some(QuarantineReason::MessageReused),
            _ => None,
        };
        if let Some(reason) = reason {
            self.quarantine(provider, reason, &request.body, Some(&fact)).await;
        }
        outcome
    }

    /// Keeps a message that was not accepted. Where even that fails, the refusal itself still stands, and
    /// the gateway delivers again.
    async fn quarantine(
        &self,
        provider: &str,
        reason: QuarantineReason,
        body: &[u8],
        fact: Option<&CallbackFact>,
    ) {
        let entry = QuarantineEntry::new(provider, reason, body, fact);
        let system = self.acting_as(crate::value::actor::Actor::System);
        let kept = system.execute(entry.id(), QuarantineCommand::Keep { entry }).await;
        drop(kept);
    }

    /// Records what a gateway has proved to have said.
    ///
    /// # Errors
    ///
    /// As [`payment_callback`](Self::payment_callback).
    pub async fn payment_fact(
        &self,
        provider: &str,
        verified: VerifiedCallback,
    ) -> Result<CallbackOutcome, PaymentCallbackError> {
        let fact = verified.fact();
        let payment = fact.payment.ok_or(PaymentCallbackError::UnknownPayment)?;
        let key = MarkKey::new(format!("callback:{provider}"), fact.event.clone());
        let canonical = serde_json::to_vec(fact).unwrap_or_default();
        let fingerprint = Fingerprint::of(1, &canonical);
        for attempt in 1..=MAX_ATTEMPTS {
            match self.record_fact(provider, payment, fact, (&key, fingerprint)).await {
                Err(PaymentCallbackError::Checkout(CheckoutError::Commit(error))) => match error {
                    CommitError::Stale { .. } => self.pause(attempt).await,
                    CommitError::AlreadyHandled(_) => return Ok(CallbackOutcome::AlreadyKnown),
                    CommitError::KeyReused(_) => return Err(PaymentCallbackError::MessageReused),
                    other => return Err(CheckoutError::Commit(other).into()),
                },
                Ok(CallbackOutcome::Recorded) => {
                    self.settle_payment(payment).await?;
                    return Ok(CallbackOutcome::Recorded);
                }
                other => return other,
            }
        }
        Err(CheckoutError::Conflict { attempts: MAX_ATTEMPTS }.into())
    }

    async fn record_fact(
        &self,
        provider: &str,
        id: PaymentId,
        fact: &CallbackFact,
        (key, fingerprint): (&MarkKey, Fingerprint),
    ) -> Result<CallbackOutcome, PaymentCallbackError> {
        let cached = self.shared.cache.take::<Payment>(id);
        let mut ask = Ask { load: Load { marks: vec![key.clone()], ..Load::default() } };
        ask.stream(&cached);
        let answer = self.ask(ask).await.map_err(CheckoutError::from)?;
        if let Some(Some(handled)) = answer.loaded.marks.first() {
            return if handled.fingerprint.agrees_with(fingerprint) {
                Ok(CallbackOutcome::AlreadyKnown)
            } else {
                Err(PaymentCallbackError::MessageReused)
            };
        }
        let payment = answer.fold(cached).map_err(CheckoutError::from)?;
        let known = payment.state.as_ref().filter(|known| known.gateway() == provider);
        let checkout = known.ok_or(PaymentCallbackError::UnknownPayment)?.checkout();
        let settings = self.settings().await?;
        let now = self.now();
        let resolve_at = now.plus(settings.resume());
        let record =
            PaymentCommand::Record { charge: fact.charge.clone(), fact: fact.fact.clone(), resolve_at };
        let decided = Payment::decide(payment.state.as_ref(), record.clone(), now)?;

        // The saga goes on in the same commit, so that a crash leaves nothing in between.
        let mut batch = Batch::new(self.ids(), now, Self::system_metadata(checkout.uuid()));
        if payment_of(checkout) == id {
            let mut party = self.party(checkout).await?;
            tell(&mut batch, &mut party.payment, record)?;
            advance(&mut batch, &mut party, &settings)?;
            note_payment(&mut batch, &mut party)?;
        } else {
            let mut payment = payment;
            batch.append(&mut payment, &decided).map_err(CheckoutError::from)?;
        }
        let result = serde_json::to_vec(&Handled { payment: id }).unwrap_or_default().into();
        batch.commit_mut().mark = Some(Mark { key: key.clone(), fingerprint, result });
        self.commit_resolved(batch.into_commit()).await.map_err(CheckoutError::Commit)?;
        Ok(if decided.is_empty() { CallbackOutcome::AlreadyKnown } else { CallbackOutcome::Recorded })
    }

    /// Makes the calls that a payment announces, and helps its checkout on.
    ///
    /// # Errors
    ///
    /// [`CheckoutError`] where a port fails; the payment's timer tries again.
    pub async fn settle_payment(&self, id: PaymentId) -> Result<(), CheckoutError> {
        let payment = self.read::<Payment>(id).await.map_err(super::begin::read_error)?;
        let Some(state) = payment.state.as_ref() else { return Ok(()) };
        let mut party = self.resume(state.checkout()).await?;
        // What is left belongs to no step of the saga: late money, refunds.
        let keys: Vec<_> =
            party.payment.state.iter().flat_map(|payment| payment.pending().keys().cloned()).collect();
        for key in keys {
            let Some(payment) = party.payment.state.as_ref() else { break };
            let outcome = self.call(party.payment.id, payment, &key, true).await;
            (party, _) = self.settle(party, &key, outcome).await?;
        }
        Ok(())
    }
}
