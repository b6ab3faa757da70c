//! Driving a checkout: call, write down, go on, until it ends or waits.

use std::sync::Arc;
use std::time::Duration;

use super::begin::read_error;
use super::commerce::Commerce;
use super::commit::MAX_ATTEMPTS;
use super::gateway::{Outcome, record};
use super::observing::span::Span;
use super::reading::Ask;
use crate::checkout::machine::Status;
use crate::checkout::party::{Party, tell};
use crate::checkout::steps::{Awaits, advance, authorise_key, note_payment};
use crate::checkout::{
    Checkout, CheckoutCommand, CheckoutError, CheckoutRefusal, order_of, payment_of, reservation_of,
};
use crate::kernel::aggregate::{Aggregate, Instance};
use crate::kernel::batch::Batch;
use crate::kernel::commit::Receipt;
use crate::kernel::error::CommitError;
use crate::kernel::event::Metadata;
use crate::payments::{PaymentCommand, REFERENCE_SCOPE};
use crate::port::payment::IdempotencyKey;
use crate::promotions::redemption_id;
use crate::settings::{SettingsValues, ShopSettings, settings_id};
use crate::value::Reason;
use crate::value::id::CheckoutId;
use crate::value::time::Timestamp;

/// Whether a call has no outcome although its checkout waits for people.
fn undecided(party: &Party, key: &IdempotencyKey) -> bool {
    let parked = |saga: &Checkout| matches!(saga.status(), Status::ManualIntervention(_));
    party.saga.state.as_ref().is_some_and(parked)
        && party.payment.state.as_ref().is_some_and(|payment| payment.pending().contains_key(key))
}

/// How long a call without outcome is left alone once its checkout waits for people.
const PARKED: Duration = Duration::from_secs(3600);

/// The settings of a shop, or the defaults.
pub(super) fn values(settings: &Instance<ShopSettings>) -> SettingsValues {
    settings.state.as_ref().map(ShopSettings::values).cloned().unwrap_or_default()
}

impl Commerce {
    pub(super) async fn settings(&self) -> Result<SettingsValues, CheckoutError> {
        Ok(values(&*self.read::<ShopSettings>(settings_id()).await.map_err(read_error)?))
    }

    /// Everybody who takes part in a checkout, as the store knows them.
    pub(super) async fn party(&self, checkout: CheckoutId) -> Result<Box<Party>, CheckoutError> {
        let cache = &self.shared.cache;
        let saga = cache.take::<Checkout>(checkout);
        let (order, reservation) = (cache.take(order_of(checkout)), cache.take(reservation_of(checkout)));
        let payment = cache.take(payment_of(checkout));
        let settings = cache.peek::<ShopSettings>(settings_id());
        let mut ask = Ask::default();
        ask.stream(&settings);
        ask.stream(&saga);
        ask.stream(&order);
        ask.stream(&reservation);
        ask.stream(&payment);
        let answer = self.ask(ask).await?;
        let settings = answer.fold_shared(settings)?;
        cache.keep(&settings);
        let saga = answer.fold(saga)?;
        let plan = saga.state.as_ref().map(Checkout::plan);
        let plan = plan.ok_or(CheckoutError::Internal(CheckoutRefusal::NotFound.into()))?;
        let cart = cache.take(plan.cart);
        let uses = plan.redemptions.iter().map(|promotion| redemption_id(checkout, *promotion));
        let redemptions = uses.map(|id| cache.take(id)).collect();
        let party = Party {
            saga,
            cart,
            order: answer.fold(order)?,
            reservation: answer.fold(reservation)?,
            payment: answer.fold(payment)?,
            redemptions,
            settings: Arc::new(values(&settings)),
        };
        self.caught_up(Box::new(party)).await
    }

    /// Everybody again, with what has come since: a party of two moments fits no rule.
    async fn caught_up(&self, party: Box<Party>) -> Result<Box<Party>, CheckoutError> {
        let mut ask = Ask::default();
        ask.stream(&party.saga);
        ask.stream(&party.cart);
        ask.stream(&party.order);
        ask.stream(&party.reservation);
        ask.stream(&party.payment);
        for redemption in &party.redemptions {
            ask.stream(redemption);
        }
        let answer = self.ask(ask).await?;
        let Party { saga, cart, order, reservation, payment, redemptions, settings } = *party;
        let redemptions: Result<_, _> =
            redemptions.into_iter().map(|redemption| answer.fold(redemption)).collect();
        Ok(Box::new(Party {
            saga: answer.fold(saga)?,
            cart: answer.fold(cart)?,
            order: answer.fold(order)?,
            reservation: answer.fold(reservation)?,
            payment: answer.fold(payment)?,
            redemptions: redemptions?,
            settings,
        }))
    }

    /// Puts everybody back whom this process may want to see again.
    fn dismiss(&self, party: &Party) {
        let done = party.saga.state.as_ref().is_some_and(|saga| saga.status().is_terminal());
        let cache = &self.shared.cache;
        if !done {
            cache.put(party.saga.clone());
            cache.put(party.reservation.clone());
            cache.put(party.cart.clone());
        }
    }

    /// Helps a checkout on as far as it can go.
    pub(super) async fn resume(&self, checkout: CheckoutId) -> Result<Box<Party>, CheckoutError> {
        let party = self.party(checkout).await?;
        self.help(party).await
    }

    /// Helps a checkout on whose party is known.
    pub(super) async fn help(&self, party: Box<Party>) -> Result<Box<Party>, CheckoutError> {
        Self::saga_span(&party).around(Box::pin(self.helped(party))).await
    }

    async fn helped(&self, party: Box<Party>) -> Result<Box<Party>, CheckoutError> {
        let (party, awaits) = match self.last_look(&party).await {
            Some(outcome) => {
                let key = authorise_key(party.saga.id);
                self.settle(party, &key, outcome).await?
            }
            None => self.push(party).await?,
        };
        self.driven(party, awaits, false).await
    }

    /// The metadata of what the library does by itself for a checkout.
    pub(super) fn saga_metadata(party: &Party) -> Metadata {
        let saga = party.saga.state.as_ref();
        Self::system_metadata(saga.map_or(party.saga.id.uuid(), Checkout::correlation))
    }

    /// What drives it on happens within this.
    pub(super) fn saga_span(party: &Party) -> Span {
        Span::saga(Checkout::NAME, party.saga.id.uuid(), Self::saga_metadata(party).correlation)
    }

    /// Takes the steps that can be taken at once.
    async fn push(&self, mut party: Box<Party>) -> Result<(Box<Party>, Awaits), CheckoutError> {
        let checkout = party.saga.id;
        let settings = party.settings.clone();
        for attempt in 1..=MAX_ATTEMPTS {
            let metadata = Self::saga_metadata(&party);
            let mut batch = Batch::new(self.ids(), self.now(), metadata);
            let awaits = advance(&mut batch, &mut party, &settings)?;
            match self.finish(batch, &party).await {
                Ok(_) => return Ok((party, awaits)),
                Err(CommitError::Stale { .. }) => self.pause(attempt).await,
                Err(error) => return Err(CheckoutError::Commit(error)),
            }
            party = self.party(checkout).await?;
        }
        Err(CheckoutError::Conflict { attempts: MAX_ATTEMPTS })
    }

    /// Commits unless nothing was decided.
    async fn finish(&self, batch: Batch<'_>, party: &Party) -> Result<Option<Receipt>, CommitError> {
        let commit = batch.into_commit();
        if commit.append.is_empty() {
            return Ok(None);
        }
        self.commit_steps(commit, &party.saga).await.map(Some)
    }

    /// Makes the calls that a checkout announces, and goes on behind each.
    pub(super) async fn drive(
        &self,
        party: Box<Party>,
        awaits: Awaits,
        fresh: bool,
    ) -> Result<Box<Party>, CheckoutError> {
        Self::saga_span(&party).around(Box::pin(self.driven(party, awaits, fresh))).await
    }

    async fn driven(
        &self,
        mut party: Box<Party>,
        mut awaits: Awaits,
        mut fresh: bool,
    ) -> Result<Box<Party>, CheckoutError> {
        while let Awaits::Call(key) = awaits {
            let Some(payment) = party.payment.state.as_ref() else { break };
            let outcome = self.call(party.payment.id, payment, &key, !fresh).await;
            (party, awaits) = self.settle(party, &key, outcome).await?;
            fresh = true;
        }
        self.dismiss(&party);
        Ok(party)
    }

    /// Writes down what came of a call and goes on; decided anew where others were faster.
    pub(super) async fn settle(
        &self,
        mut party: Box<Party>,
        key: &IdempotencyKey,
        outcome: Outcome,
    ) -> Result<(Box<Party>, Awaits), CheckoutError> {
        let checkout = party.saga.id;
        let settings = party.settings.clone();
        for attempt in 1..=MAX_ATTEMPTS {
            let now = self.now();
            let resolve_at = now.plus(settings.resume());
            let mut batch = Batch::new(self.ids(), now, Self::saga_metadata(&party));
            let awaits = match record(&mut batch, &mut party, key, outcome.clone(), resolve_at) {
                Ok(true) => {
                    let awaits = advance(&mut batch, &mut party, &settings)?;
                    note_payment(&mut batch, &mut party)?;
                    // Answered without deciding, or refused for good: asking at once would not end.
                    let refused = matches!(outcome, Outcome::Refused(_));
                    let again = matches!(&awaits, Awaits::Call(next) if next == key || refused);
                    if again || undecided(&party, key) {
                        Self::postpone(&mut batch, &mut party, &settings)?;
                        Awaits::Outside
                    } else {
                        awaits
                    }
                }
                Ok(false) => {
                    Self::postpone(&mut batch, &mut party, &settings)?;
                    Awaits::Outside
                }
                // The gateway reports what cannot be: another amount, another charge.
                Err(CheckoutError::Internal(_)) => {
                    batch = Batch::new(self.ids(), now, Self::saga_metadata(&party));
                    Self::give_up(&mut batch, &mut party)?;
                    Awaits::Nothing
                }
                Err(other) => return Err(other),
            };
            match self.finish(batch, &party).await {
                Ok(_) => return Ok((party, awaits)),
                Err(CommitError::Stale { .. }) => self.pause(attempt).await,
                // Somebody else went on meanwhile. What the gateway has said is a fact all the same, and may
                // be known to nobody else: it is written down without the lease.
                Err(CommitError::LeaseLost(_)) => self.request.lease.used(),
                // The charge is known as another payment's.
                Err(CommitError::Taken { key, .. }) if key.scope == REFERENCE_SCOPE => {
                    party = self.party(checkout).await?;
                    let mut batch = Batch::new(self.ids(), now, Self::saga_metadata(&party));
                    Self::give_up(&mut batch, &mut party)?;
                    self.finish(batch, &party).await.map_err(CheckoutError::Commit)?;
                    return Ok((party, Awaits::Nothing));
                }
                Err(error) => return Err(CheckoutError::Commit(error)),
            }
            party = self.party(checkout).await?;
        }
        Err(CheckoutError::Conflict { attempts: MAX_ATTEMPTS })
    }

    /// Somebody has to look at what the gateway says.
    fn give_up(batch: &mut Batch<'_>, party: &mut Party) -> Result<(), CheckoutError> {
        let reason = Reason::new("the gateway's answer does not fit the payment")
            .map_err(|_| crate::checkout::error::InternalRefusal::Text)?;
        tell(batch, &mut party.saga, CheckoutCommand::GiveUp { reason })
    }

    /// A checkout waits for people. What its gateway has not decided is looked at now and then: an event
    /// sets each timer anew, so that none is due for ever.
    fn look_again(
        batch: &mut Batch<'_>,
        party: &mut Party,
        resolve_at: Timestamp,
    ) -> Result<(), CheckoutError> {
        let calls: Vec<_> =
            party.payment.state.iter().flat_map(|payment| payment.pending().keys().cloned()).collect();
        for key in calls {
            tell(batch, &mut party.payment, PaymentCommand::MarkUnknown { key, resolve_at })?;
        }
        Ok(())
    }

    /// Nothing is known: looked at again later, and by a person once it takes too long.
    fn postpone(
        batch: &mut Batch<'_>,
        party: &mut Party,
        settings: &SettingsValues,
    ) -> Result<(), CheckoutError> {
        let Some(saga) = party.saga.state.as_ref() else { return Ok(()) };
        let now = batch.now();
        let patience = saga.plan().deadline.plus(settings.hold().saturating_mul(4));
        if matches!(saga.status(), Status::ManualIntervention(_)) {
            return Self::look_again(batch, party, now.plus(PARKED));
        }
        if saga.status().is_terminal() {
            return Ok(());
        }
        let command = if now > patience {
            let reason = Reason::new("the gateway does not say what came of a call")
                .map_err(|_| crate::checkout::error::InternalRefusal::Text)?;
            CheckoutCommand::GiveUp { reason }
        } else {
            CheckoutCommand::Wait { resume_at: now.plus(settings.resume()) }
        };
        tell(batch, &mut party.saga, command)
    }
}
