//! A checkout as an aggregate: the machine, fed with events.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::command::CheckoutCommand;
use super::error::CheckoutRefusal;
use super::event::{CheckoutEvent, CheckoutPlan};
use super::machine::{Input, Status, Step, next};
use crate::kernel::aggregate::{Aggregate, EvolveError};
use crate::kernel::effects::Effects;
use crate::value::actor::Owner;
use crate::value::id::{CartId, CheckoutId, Id, OrderId, PaymentId, ReservationId, marker};
use crate::value::time::Timestamp;

/// The name of the timer that has somebody go on.
pub const RESUME: &str = "resume";

/// The steps that the first commit takes.
pub const FIRST_STEPS: [Step; 4] = [Step::Price, Step::HoldCoupons, Step::ReserveStock, Step::PlaceOrder];

/// A saga: from a cart to an order that is paid, or back to where it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkout {
    id: CheckoutId,
    plan: CheckoutPlan,
    status: Status,
    failure: Option<(Arc<str>, crate::value::Reason)>,
}

/// The id of the how-many-eth checkout of a cart.
pub fn checkout_id(cart: CartId, number: u32) -> CheckoutId {
    CheckoutId::derived(cart.uuid(), format!("checkout:{number}").as_bytes())
}

/// The order that a checkout places.
pub fn order_of(checkout: CheckoutId) -> OrderId {
    OrderId::derived(checkout.uuid(), b"order")
}

/// The reservation that a checkout makes.
pub fn reservation_of(checkout: CheckoutId) -> ReservationId {
    ReservationId::derived(checkout.uuid(), b"reservation")
}

/// The payment that a checkout makes.
pub fn payment_of(checkout: CheckoutId) -> PaymentId {
    PaymentId::derived(checkout.uuid(), b"payment")
}

impl Checkout {
    /// Its id.
    pub const fn id(&self) -> CheckoutId {
        self.id
    }

    /// What it does.
    pub const fn plan(&self) -> &CheckoutPlan {
        &self.plan
    }

    /// What its events are correlated by: the request that began it, or itself.
    pub fn correlation(&self) -> Uuid {
        self.plan.correlation.unwrap_or(self.id.uuid())
    }

    /// Where it stands.
    pub const fn status(&self) -> Status {
        self.status
    }

    /// Why it could not succeed: a word for machines and a sentence for people.
    pub const fn failure(&self) -> Option<&(Arc<str>, crate::value::Reason)> {
        self.failure.as_ref()
    }

    fn to(&self, input: Input) -> Result<Status, CheckoutRefusal> {
        let (status, input) = (self.status, input);
        next(status, input).ok_or(CheckoutRefusal::IllegalTransition { status, input })
    }

    /// What trying again means: a checkout that was being undone is undone further, never taken up again.
    const fn again(&self) -> Input {
        if self.failure.is_some() { Input::ForceCompensate } else { Input::Retry }
    }

    fn through(&self, inputs: impl Iterator<Item = Input>) -> Result<Status, CheckoutRefusal> {
        let mut at = self.clone();
        for input in inputs {
            at.status = at.to(input)?;
        }
        Ok(at.status)
    }
}

impl Aggregate for Checkout {
    const NAME: &'static str = "checkout";
    type Root = marker::Checkout;
    type Command = CheckoutCommand;
    type Event = CheckoutEvent;
    type Error = CheckoutRefusal;

    fn decide(
        state: Option<&Self>,
        command: CheckoutCommand,
        _now: Timestamp,
    ) -> Result<Vec<CheckoutEvent>, CheckoutRefusal> {
        use CheckoutCommand as C;
        use CheckoutEvent as E;
        let saga = match (state, command) {
            (None, C::Start { checkout, plan, resume_at }) => {
                return Ok(vec![E::Started { checkout, plan, resume_at }]);
            }
            (None, _) => return Err(CheckoutRefusal::NotFound),
            (Some(saga), C::Start { plan, .. }) => {
                return if saga.plan == plan { Ok(Vec::new()) } else { Err(CheckoutRefusal::AlreadyStarted) };
            }
            (Some(saga), command) => (saga, command),
        };
        match saga {
            (saga, C::Take { steps, resume_at }) => {
                let end = saga.through(steps.iter().map(|step| Input::Done(*step)))?;
                let mut events = vec![E::StepsTaken { steps, resume_at }];
                if end == Status::Completed {
                    events.push(E::Completed);
                }
                Ok(events)
            }
            (saga, C::Wait { resume_at }) => {
                saga.to(Input::Wait)?;
                Ok(vec![E::Waited { resume_at }])
            }
            (saga, C::Fail { code, reason, resume_at }) => {
                saga.to(Input::Fail)?;
                Ok(vec![E::CompensationStarted { code, reason, resume_at }])
            }
            (saga, C::Undo { steps, resume_at }) => {
                let end = saga.through(steps.iter().map(|step| Input::Undone(*step)))?;
                let mut events = vec![E::StepsUndone { steps, resume_at }];
                if end == Status::Compensated {
                    events.push(E::Compensated);
                }
                Ok(events)
            }
            (saga, C::GiveUp { reason }) => {
                saga.to(Input::GiveUp)?;
                Ok(vec![E::InterventionRequired { reason }])
            }
            (saga, C::Retry { resume_at }) => {
                saga.to(saga.again())?;
                Ok(vec![E::Retried { resume_at }])
            }
            (saga, C::Skip { resume_at }) => {
                let Status::ManualIntervention(step) = saga.status else {
                    return Err(saga.to(Input::Skip).err().unwrap_or(CheckoutRefusal::NotFound));
                };
                let end = saga.to(Input::Skip)?;
                let mut events = vec![E::Skipped { step, resume_at }];
                if end == Status::Completed {
                    events.push(E::Completed);
                }
                Ok(events)
            }
            (saga, C::ForceCompensate { reason, resume_at }) => {
                saga.to(Input::ForceCompensate)?;
                Ok(vec![E::CompensationStarted { code: "forced".into(), reason, resume_at }])
            }
            (_, C::Start { .. }) => Err(CheckoutRefusal::AlreadyStarted),
        }
    }

    fn evolve(state: Option<Self>, event: &CheckoutEvent) -> Result<Self, EvolveError> {
        use CheckoutEvent as E;
        let stray = || EvolveError::of(event);
        let mut saga = match (state, event) {
            (None, E::Started { checkout, plan, .. }) => {
                let mut saga = Self {
                    id: *checkout,
                    plan: plan.clone(),
                    status: Status::Running(Step::Price),
                    failure: None,
                };
                saga.status = saga.through(FIRST_STEPS.into_iter().map(Input::Done)).map_err(|_| stray())?;
                return Ok(saga);
            }
            (None, _) | (Some(_), E::Started { .. }) => return Err(stray()),
            (Some(saga), _) => saga,
        };
        let to = |saga: &Self, input| saga.to(input).map_err(|_| stray());
        match event {
            E::Started { .. } => return Err(stray()),
            E::StepsTaken { steps, .. } => {
                saga.status =
                    saga.through(steps.iter().map(|step| Input::Done(*step))).map_err(|_| stray())?;
            }
            E::Waited { .. } => saga.status = to(&saga, Input::Wait)?,
            E::CompensationStarted { code, reason, .. } => {
                let input = match saga.status {
                    Status::ManualIntervention(_) => Input::ForceCompensate,
                    _ => Input::Fail,
                };
                saga.status = to(&saga, input)?;
                saga.failure = Some((code.clone(), reason.clone()));
            }
            E::StepsUndone { steps, .. } => {
                saga.status =
                    saga.through(steps.iter().map(|step| Input::Undone(*step))).map_err(|_| stray())?;
            }
            // The steps have led there; these say it in so many words.
            E::Completed | E::Compensated => {}
            E::InterventionRequired { .. } => saga.status = to(&saga, Input::GiveUp)?,
            E::Retried { .. } => saga.status = to(&saga, saga.again())?,
            E::Skipped { .. } => saga.status = to(&saga, Input::Skip)?,
        }
        Ok(saga)
    }

    fn effects(_id: Id<marker::Checkout>, event: &CheckoutEvent) -> Effects {
        use CheckoutEvent as E;
        match event {
            E::Started { resume_at, .. }
            | E::StepsTaken { resume_at, .. }
            | E::Waited { resume_at }
            | E::CompensationStarted { resume_at, .. }
            | E::StepsUndone { resume_at, .. }
            | E::Retried { resume_at }
            | E::Skipped { resume_at, .. } => Effects::none().timer(RESUME, *resume_at),
            E::Completed | E::Compensated | E::InterventionRequired { .. } => {
                Effects::none().cancel_timer(RESUME)
            }
        }
    }

    fn owner(&self) -> Owner {
        Owner::Subject(self.plan.subject)
    }
}
