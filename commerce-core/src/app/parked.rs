//! Callbacks whose payment is not known yet: kept, and tried again.

use super::begin::read_error;
use super::callback::{CallbackOutcome, PaymentCallbackError};
use super::commerce::Commerce;
use crate::payments::QuarantineReason;
use crate::payments::parked::{ParkedCallback, ParkedCommand, ParkedStatus};
use crate::port::payment::CallbackFact;
use crate::value::actor::Actor;
use crate::value::id::Id;

impl Commerce {
    /// Keeps a message until its payment is known.
    pub(super) async fn park(
        &self,
        provider: &str,
        fact: &CallbackFact,
    ) -> Result<CallbackOutcome, PaymentCallbackError> {
        let settings = self.settings().await?;
        let now = self.now();
        let park = ParkedCommand::Park {
            provider: provider.into(),
            fact: fact.clone(),
            until: now.plus(settings.payment()),
            retry_at: now.plus(settings.resume()),
        };
        self.acting_as(Actor::System).execute(ParkedCallback::id_of(provider, fact), park).await?;
        Ok(CallbackOutcome::Parked)
    }

    /// Looks for the payment of a kept message once more; in vain for too long, or where the payment refuses
    /// it, it goes into quarantine.
    pub(super) async fn retry_parked(&self, id: Id<ParkedCallback>) -> Result<(), PaymentCallbackError> {
        let parked = self.read::<ParkedCallback>(id).await.map_err(read_error)?;
        let Some(known) = parked.state.as_ref().filter(|known| known.status() == ParkedStatus::Waiting)
        else {
            return Ok(());
        };
        let (provider, fact, now) = (known.provider(), known.fact(), self.now());
        let refused = match self.resolve_fact(provider, fact).await {
            Ok(Some((payment, _))) => {
                self.execute(id, ParkedCommand::Resolve { payment }).await?;
                return Ok(());
            }
            Ok(None) if now < known.until() => {
                let retry_at = now.plus(self.settings().await?.resume());
                self.execute(id, ParkedCommand::Postpone { retry_at }).await?;
                return Ok(());
            }
            Ok(None) => QuarantineReason::UnknownPayment,
            Err(PaymentCallbackError::Payment(_)) => QuarantineReason::Mismatch,
            Err(PaymentCallbackError::MessageReused) => QuarantineReason::MessageReused,
            Err(other) => return Err(other),
        };
        let reported = serde_json::to_vec(fact).unwrap_or_default();
        self.quarantine(provider, refused, &reported, Some(fact)).await;
        self.execute(id, ParkedCommand::GiveUp).await?;
        Ok(())
    }
}
