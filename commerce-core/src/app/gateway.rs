//! Calling gateways under announced keys, and looking up what came of calls.

use std::sync::Arc;

use super::commerce::Commerce;
use crate::checkout::CheckoutError;
use crate::checkout::machine::{Status, Step};
use crate::checkout::party::{Party, tell};
use crate::checkout::steps::authorise_key;
use crate::kernel::batch::Batch;
use crate::kernel::error::Effect;
use crate::payments::ledger::{Pending, PendingKind};
use crate::payments::{Payment, PaymentCommand, PaymentStatus};
use crate::port::payment::{
    Authorize, Charge, ChargeState, GatewayError, IdempotencyKey, Lookup, Operation, PaymentGateway, Settled,
};
use crate::value::id::PaymentId;
use crate::value::time::Timestamp;

/// How often a call that certainly did nothing is made again at once.
const MAX_CALLS: u32 = 3;

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The gateway says where the charge stands.
    Charge(Charge),
    /// It carried the operation out.
    Settled(Settled),
    /// It refuses for good.
    Refused(Arc<str>),
    /// It certainly did nothing.
    Nothing,
    /// Nobody knows.
    Unknown,
}

impl Commerce {
    /// Makes the announced call, or looks up what came of it where somebody may have made it before.
    pub(super) async fn call(
        &self,
        id: PaymentId,
        payment: &Payment,
        key: &IdempotencyKey,
        made_before: bool,
    ) -> Outcome {
        let (Some(call), Some(gateway)) = (payment.pending().get(key), self.gateway(payment.gateway()))
        else {
            // A shop that is started without one of its gateways leaves its payments to one that has it.
            return Outcome::Unknown;
        };
        if made_before {
            match gateway.lookup(key).await {
                Ok(Lookup::Charge(charge)) => return Outcome::Charge(charge),
                Ok(Lookup::Settled(settled)) => return Outcome::Settled(settled),
                Ok(Lookup::Refused { code }) => return Outcome::Refused(code),
                Ok(Lookup::NotFound) => {}
                Err(_) => return Outcome::Unknown,
            }
        }
        for _ in 0..MAX_CALLS {
            match self.once(gateway, id, payment, key, call).await {
                Ok(outcome) => return outcome,
                Err(GatewayError::Declined { code }) => return Outcome::Refused(code),
                Err(GatewayError::Port(error)) if error.effect == Effect::Unknown => {
                    return Outcome::Unknown;
                }
                Err(GatewayError::Port(_)) => self.pause(1).await,
            }
        }
        Outcome::Nothing
    }

    /// Asks the gateway before a buyer is given up whom it had sent elsewhere: they may have paid, and the
    /// message that says so may be lost or still on its way. `None` where there is nothing new.
    pub(super) async fn last_look(&self, party: &Party) -> Option<Outcome> {
        let (saga, payment) = (party.saga.state.as_ref()?, party.payment.state.as_ref()?);
        let waits =
            matches!(saga.status(), Status::Running(Step::Authorise) | Status::Waiting(Step::Authorise));
        let late = waits && self.now() >= saga.plan().deadline;
        if !late || payment.status() != PaymentStatus::RequiresAction {
            return None;
        }
        let Some(gateway) = self.gateway(payment.gateway()) else { return Some(Outcome::Unknown) };
        match gateway.lookup(&authorise_key(saga.id())).await {
            Ok(Lookup::Charge(charge)) => match charge.state {
                ChargeState::RequiresAction { .. } => None,
                ChargeState::Processing => Some(Outcome::Unknown),
                _ => Some(Outcome::Charge(charge)),
            },
            Ok(Lookup::NotFound | Lookup::Refused { .. } | Lookup::Settled(_)) => None,
            Err(_) => Some(Outcome::Unknown),
        }
    }

    async fn once(
        &self,
        gateway: &Arc<dyn PaymentGateway>,
        id: PaymentId,
        payment: &Payment,
        key: &IdempotencyKey,
        call: &Pending,
    ) -> Result<Outcome, GatewayError> {
        if call.kind == PendingKind::Authorize {
            let request = Authorize {
                key: key.clone(),
                payment: id,
                order: payment.order(),
                amount: payment.amount(),
                capture: payment.captures_at_once(),
                method: payment.method().clone(),
            };
            return gateway.authorize(request).await.map(Outcome::Charge);
        }
        let Some(charge) = payment.ledger().charge.clone() else { return Ok(Outcome::Nothing) };
        let operation = Operation { key: key.clone(), payment: id, charge, amount: call.amount };
        let settled = match call.kind {
            PendingKind::Capture => gateway.capture(operation).await,
            PendingKind::Void => gateway.void(operation).await,
            PendingKind::Refund(_) | PendingKind::Authorize => gateway.refund(operation).await,
        };
        settled.map(Outcome::Settled)
    }
}

/// Writes down what came of a call; `false` where nothing is known and somebody has to look again.
pub(super) fn record(
    batch: &mut Batch<'_>,
    party: &mut Party,
    key: &IdempotencyKey,
    outcome: Outcome,
    resolve_at: Timestamp,
) -> Result<bool, CheckoutError> {
    let payment = &mut party.payment;
    let authorising = payment.state.as_ref().and_then(|payment| payment.pending().get(key));
    let authorising = authorising.is_some_and(|call| call.kind == PendingKind::Authorize);
    let command = match outcome {
        Outcome::Charge(charge) => {
            let fact = charge.fact();
            PaymentCommand::Record { charge: charge.reference, fact, resolve_at }
        }
        Outcome::Settled(Settled { reference, amount }) => {
            PaymentCommand::RecordSettled { key: key.clone(), operation: reference, amount }
        }
        Outcome::Refused(code) => PaymentCommand::RecordRefusal { key: key.clone(), code },
        Outcome::Nothing if authorising => PaymentCommand::RecordNotFound,
        Outcome::Nothing | Outcome::Unknown => {
            tell(batch, payment, PaymentCommand::MarkUnknown { key: key.clone(), resolve_at })?;
            return Ok(false);
        }
    };
    tell(batch, payment, command)?;
    Ok(true)
}
