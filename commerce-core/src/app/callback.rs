//! Callbacks of gateways: verified, resolved, recorded once.

use std::sync::Arc;

use serde::Serialize;

use super::commerce::Commerce;
use super::commit::MAX_ATTEMPTS;
use super::error::CommandError;
use super::observing::{outcome, span::Span};
use super::reading::Ask;
use crate::checkout::party::{Party, tell};
use crate::checkout::steps::{advance, note_payment};
use crate::checkout::{CheckoutError, payment_of};
use crate::kernel::aggregate::{Aggregate, Permission};
use crate::kernel::batch::Batch;
use crate::kernel::commit::Load;
use crate::kernel::error::{CommitError, ErrorClass};
use crate::kernel::mark::{Fingerprint, Mark, MarkKey};
use crate::kernel::unique::Key;
use crate::payments::parked::ParkedError;
use crate::payments::quarantine::QuarantineCommand;
use crate::payments::{
    Payment, PaymentCommand, PaymentError, QuarantineEntry, QuarantineReason, REFERENCE_SCOPE, reference_key,
};
use crate::port::observer::{Outcome, Signal};
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
    /// Its payment is not known yet: it is kept, and tried again by a timer.
    Parked,
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
    /// It does not fit the payment: another amount, currency or charge.
    #[error("it does not fit the payment")]
    Payment(#[from] PaymentError),
    /// The id of the message was used for another message.
    #[error("the id of the message was used for another message")]
    MessageReused,
    /// It could not be kept for a later try.
    #[error("it could not be kept for a later try")]
    Parked(#[from] CommandError<ParkedError>),
    /// The checkout could not go on.
    #[error("the checkout could not go on")]
    Checkout(#[from] CheckoutError),
}

impl PaymentCallbackError {
    /// What to do about it: the HTTP status in one match.
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Checkout(error) => error.class(),
            Self::Parked(error) => error.class(),
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
    /// goes on at once. A message whose payment is not known yet is kept and tried again until the longest
    /// time that a payment may take is over; then it goes into quarantine.
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
    pub(super) async fn quarantine(
        &self,
        provider: &str,
        reason: QuarantineReason,
        body: &[u8],
        fact: Option<&CallbackFact>,
    ) {
        let entry = QuarantineEntry::new(provider, reason, body, fact);
        let system = self.acting_as(crate::value::actor::Actor::System);
        let traced = system.traced();
        let kept = traced.execute(entry.id(), QuarantineCommand::Keep { entry }).await;
        // What is in quarantine already is nothing new.
        if !kept.is_ok_and(|kept| kept.events.is_empty()) {
            let (trace, reason) = (traced.trace(), reason.name());
            self.signal(|| Signal::CallbackQuarantined { trace, gateway: provider, reason });
        }
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
        match self.resolve_fact(provider, fact).await? {
            Some((_, outcome)) => Ok(outcome),
            None => self.park(provider, fact).await,
        }
    }

    /// Finds the payment by our reference or the gateway's, and records the fact; `None` where no payment of
    /// this shop and gateway is known by either.
    pub(super) async fn resolve_fact(
        &self,
        provider: &str,
        fact: &CallbackFact,
    ) -> Result<Option<(PaymentId, CallbackOutcome)>, PaymentCallbackError> {
        // Our own reference counts where there is one: a charge of another payment is a contradiction.
        if let Some(named) = fact.payment {
            return Ok(self.record_for(provider, named, fact).await?.map(|outcome| (named, outcome)));
        }
        let key = Key::new(REFERENCE_SCOPE, reference_key(provider, &fact.charge));
        let load = Load { by_claim: vec![key], ..Load::default() };
        let loaded = self.store().load(load).await.map_err(CheckoutError::from)?;
        let owner = loaded.by_claim.into_iter().flatten().next();
        let Some(payment) = owner.and_then(|owner| PaymentId::from_uuid(owner.id).ok()) else {
            return Ok(None);
        };
        Ok(self.record_for(provider, payment, fact).await?.map(|outcome| (payment, outcome)))
    }

    /// Records a fact of a payment, and has it watched; `None` where there is no such payment at this gateway.
    async fn record_for(
        &self,
        provider: &str,
        payment: PaymentId,
        fact: &CallbackFact,
    ) -> Result<Option<CallbackOutcome>, PaymentCallbackError> {
        let (what, trace) = (Permission::new(Payment::NAME, "record"), self.trace());
        let (watched, mut attempts) = (self.begins(what, payment.uuid()), 0);
        let recording = self.recorded(provider, payment, fact, &mut attempts);
        let done = Span::command(what, payment.uuid(), trace).around(Box::pin(recording)).await;
        let outcome = match &done {
            Ok(None) => return done,
            Ok(Some(CallbackOutcome::AlreadyKnown)) => Outcome::Repeated,
            done => outcome(done, PaymentCallbackError::class),
        };
        self.ends(watched, trace, outcome, attempts);
        done
    }

    /// Records a fact, decided anew while others are faster.
    async fn recorded(
        &self,
        provider: &str,
        payment: PaymentId,
        fact: &CallbackFact,
        attempts: &mut u32,
    ) -> Result<Option<CallbackOutcome>, PaymentCallbackError> {
        let key = MarkKey::new(format!("callback:{provider}"), fact.event.clone());
        let canonical = serde_json::to_vec(fact).unwrap_or_default();
        let fingerprint = Fingerprint::of(1, &canonical);
        for attempt in 1..=MAX_ATTEMPTS {
            *attempts = attempt;
            match self.record_fact(provider, payment, fact, (&key, fingerprint)).await {
                Err(PaymentCallbackError::Checkout(CheckoutError::Commit(error))) => match error {
                    CommitError::Stale { .. } => self.pause(attempt).await,
                    CommitError::AlreadyHandled(_) => return Ok(Some(CallbackOutcome::AlreadyKnown)),
                    CommitError::KeyReused(_) => return Err(PaymentCallbackError::MessageReused),
                    CommitError::Taken { key, .. } if key.scope == REFERENCE_SCOPE => {
                        return Err(PaymentError::ChargeMismatch.into());
                    }
                    other => return Err(CheckoutError::Commit(other).into()),
                },
                Ok(Some(CallbackOutcome::Recorded)) => {
                    self.settle_payment(payment).await?;
                    return Ok(Some(CallbackOutcome::Recorded));
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
    ) -> Result<Option<CallbackOutcome>, PaymentCallbackError> {
        let cached = self.shared.cache.take::<Payment>(id);
        let mut ask = Ask { load: Load { marks: vec![key.clone()], ..Load::default() } };
        ask.stream(&cached);
        let answer = self.ask(ask).await.map_err(CheckoutError::from)?;
        if let Some(Some(handled)) = answer.loaded.marks.first() {
            return if handled.fingerprint.agrees_with(fingerprint) {
                Ok(Some(CallbackOutcome::AlreadyKnown))
            } else {
                Err(PaymentCallbackError::MessageReused)
            };
        }
        let payment = answer.fold(cached).map_err(CheckoutError::from)?;
        let known = payment.state.as_ref().filter(|known| known.gateway() == provider);
        let Some(checkout) = known.map(Payment::checkout) else { return Ok(None) };
        let party = if payment_of(checkout) == id { Some(self.party(checkout).await?) } else { None };
        let settings = match &party {
            Some(party) => party.settings.clone(),
            None => Arc::new(self.settings().await?),
        };
        let now = self.now();
        let resolve_at = now.plus(settings.resume());
        let record =
            PaymentCommand::Record { charge: fact.charge.clone(), fact: fact.fact.clone(), resolve_at };
        let decided = Payment::decide(payment.state.as_ref(), record.clone(), now)?;

        // The saga goes on in the same commit, so that a crash leaves nothing in between.
        let metadata = match &party {
            Some(party) => Self::saga_metadata(party),
            None => Self::system_metadata(checkout.uuid()),
        };
        let mut batch = Batch::new(self.ids(), now, metadata);
        let mut party = party;
        if let Some(party) = &mut party {
            tell(&mut batch, &mut party.payment, record)?;
            advance(&mut batch, party, &settings)?;
            note_payment(&mut batch, party)?;
        } else {
            let mut payment = payment;
            batch.append(&mut payment, &decided).map_err(CheckoutError::from)?;
        }
        let result = serde_json::to_vec(&Handled { payment: id }).unwrap_or_default().into();
        batch.commit_mut().mark = Some(Mark { key: key.clone(), fingerprint, result });
        let commit = batch.into_commit();
        let done = match &party {
            Some(party) => self.commit_steps(commit, &party.saga).await,
            None => self.commit_resolved(commit).await,
        };
        done.map_err(CheckoutError::Commit)?;
        let known = decided.is_empty();
        Ok(Some(if known { CallbackOutcome::AlreadyKnown } else { CallbackOutcome::Recorded }))
    }

    /// Makes the calls that a payment announces, and helps its checkout on.
    ///
    /// # Errors
    ///
    /// [`CheckoutError`] where a port fails; the payment's timer tries again.
    pub async fn settle_payment(&self, id: PaymentId) -> Result<(), CheckoutError> {
        let payment = self.read::<Payment>(id).await.map_err(super::begin::read_error)?;
        let Some(state) = payment.state.as_ref() else { return Ok(()) };
        let party = self.resume(state.checkout()).await?;
        Self::saga_span(&party).around(Box::pin(self.settle_rest(party))).await
    }

    async fn settle_rest(&self, mut party: Box<Party>) -> Result<(), CheckoutError> {
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
