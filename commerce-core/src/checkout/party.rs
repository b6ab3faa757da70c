//! Everybody who takes part in a checkout, loaded at once and told in one commit.

use std::sync::Arc;

use super::error::{CheckoutError, InternalRefusal};
use super::machine::{Input, Status, Step, next};
use super::state::Checkout;
use super::{CheckoutCommand, CheckoutRefusal};
use crate::carts::Cart;
use crate::inventory::Reservation;
use crate::kernel::aggregate::{Aggregate, Instance};
use crate::kernel::batch::Batch;
use crate::orders::Order;
use crate::payments::Payment;
use crate::promotions::Redemption;
use crate::settings::SettingsValues;
use crate::value::Reason;
use crate::value::time::Timestamp;

/// The aggregates of one checkout.
#[derive(Debug, Clone)]
pub struct Party {
    /// The saga.
    pub saga: Instance<Checkout>,
    /// The cart that it locks.
    pub cart: Instance<Cart>,
    /// The order that it places.
    pub order: Instance<Order>,
    /// The stock that it reserves.
    pub reservation: Instance<Reservation>,
    /// The payment that it makes.
    pub payment: Instance<Payment>,
    /// The promotions that it uses.
    pub redemptions: Vec<Instance<Redemption>>,
    /// How the shop sells.
    pub settings: Arc<SettingsValues>,
}

/// Has an aggregate decide and puts the outcome into the batch.
///
/// # Errors
///
/// [`CheckoutError::Internal`] where it refuses: the saga asks only what must be possible.
pub fn tell<A: Aggregate>(
    batch: &mut Batch<'_>,
    instance: &mut Instance<A>,
    command: A::Command,
) -> Result<(), CheckoutError>
where
    InternalRefusal: From<A::Error>,
{
    let events = A::decide(instance.state.as_ref(), command, batch.now()).map_err(InternalRefusal::from)?;
    batch.append(instance, &events)?;
    Ok(())
}

/// The steps that one commit takes or undoes; written down as one event each way.
#[derive(Debug)]
pub struct Walk {
    status: Status,
    taken: Vec<Step>,
    failed: Option<(&'static str, Reason)>,
    undone: Vec<Step>,
    given_up: Option<Reason>,
}

impl Walk {
    /// From where the saga stands.
    pub fn new(saga: &Checkout) -> Self {
        Self { status: saga.status(), taken: Vec::new(), failed: None, undone: Vec::new(), given_up: None }
    }

    /// Where it stands now.
    pub const fn status(&self) -> Status {
        self.status
    }

    fn go(&mut self, input: Input) -> Result<(), CheckoutError> {
        let status = self.status;
        let refused = CheckoutRefusal::IllegalTransition { status, input };
        self.status = next(status, input).ok_or_else(|| InternalRefusal::from(refused))?;
        Ok(())
    }

    /// A step was taken.
    ///
    /// # Errors
    ///
    /// [`CheckoutError::Internal`] where the machine does not allow it.
    pub fn take(&mut self, step: Step) -> Result<(), CheckoutError> {
        self.go(Input::Done(step))?;
        self.taken.push(step);
        Ok(())
    }

    /// The checkout cannot succeed.
    ///
    /// # Errors
    ///
    /// [`CheckoutError::Internal`] behind the pivot.
    pub fn fail(&mut self, code: &'static str, reason: &str) -> Result<(), CheckoutError> {
        self.go(Input::Fail)?;
        let reason = Reason::new(reason).map_err(|_| InternalRefusal::Text)?;
        self.failed = Some((code, reason));
        Ok(())
    }

    /// A step is undone.
    ///
    /// # Errors
    ///
    /// [`CheckoutError::Internal`] where the machine does not allow it.
    pub fn undo(&mut self, step: Step) -> Result<(), CheckoutError> {
        self.go(Input::Undone(step))?;
        self.undone.push(step);
        Ok(())
    }

    /// Somebody has to look at it.
    ///
    /// # Errors
    ///
    /// [`CheckoutError::Internal`] where the machine does not allow it.
    pub fn give_up(&mut self, reason: &str) -> Result<(), CheckoutError> {
        self.go(Input::GiveUp)?;
        self.given_up = Some(Reason::new(reason).map_err(|_| InternalRefusal::Text)?);
        Ok(())
    }

    /// Writes down what happened.
    ///
    /// # Errors
    ///
    /// [`CheckoutError`] where the saga refuses what its machine allowed: a defect.
    pub fn write(
        self,
        batch: &mut Batch<'_>,
        saga: &mut Instance<Checkout>,
        resume_at: Timestamp,
    ) -> Result<(), CheckoutError> {
        let Self { taken: steps, failed, undone, given_up, .. } = self;
        if !steps.is_empty() {
            tell(batch, saga, CheckoutCommand::Take { steps, resume_at })?;
        }
        if let Some((code, reason)) = failed {
            tell(batch, saga, CheckoutCommand::Fail { code: code.into(), reason, resume_at })?;
        }
        if !undone.is_empty() {
            tell(batch, saga, CheckoutCommand::Undo { steps: undone, resume_at })?;
        }
        if let Some(reason) = given_up {
            tell(batch, saga, CheckoutCommand::GiveUp { reason })?;
        }
        Ok(())
    }
}
