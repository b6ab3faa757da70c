//! What happens to a checkout.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::machine::Step;
use crate::event_types;
use crate::settings::CapturePolicy;
use crate::value::id::{CartId, CheckoutId, CustomerId, LocationId, PromotionId, SubjectId};
use crate::value::time::Timestamp;
use crate::value::{Money, Reason};

/// Everything that a checkout has to know to be resumed by anybody. The frozen prices stand in the order,
/// which is placed by the same commit. All other ids follow from the checkout's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckoutPlan {
    /// The cart that it locks.
    pub cart: CartId,
    /// The how-many-eth checkout of the cart, from 1.
    pub number: u32,
    /// The person it is for.
    pub subject: SubjectId,
    /// The customer, where one is known.
    pub customer: Option<CustomerId>,
    /// What is due.
    pub total: Money,
    /// The gateway and the host's token of the means of payment; `None` where nothing is due.
    pub payment: Option<PaymentPlan>,
    /// When the money is taken.
    pub capture: CapturePolicy,
    /// Promotions whose use is held.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redemptions: Vec<PromotionId>,
    /// Whether stock is reserved.
    pub reserves: bool,
    /// Whether there is something to send, and from where.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ships_from: Vec<LocationId>,
    /// Whether units are promised that are not there.
    #[serde(default)]
    pub backordered: bool,
    /// When it is given up, should the buyer not pay.
    pub deadline: Timestamp,
    /// The correlation id of the request that began it, where it had one; all that follows bears it too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<Uuid>,
}

/// How a checkout is paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentPlan {
    /// The gateway.
    pub gateway: Arc<str>,
    /// The host's token of the means of payment.
    pub method: Arc<str>,
}

/// A fact about a checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CheckoutEvent {
    /// The cart is locked, everything local is held, and the gateway is asked next.
    Started {
        /// Its own id, from which those of its order, reservation, payment and redemptions follow.
        checkout: CheckoutId,
        /// What it does.
        plan: CheckoutPlan,
        /// When somebody else goes on, should this process be gone.
        resume_at: Timestamp,
    },
    /// These steps were taken.
    StepsTaken {
        /// In order.
        steps: Vec<Step>,
        /// When somebody else goes on.
        resume_at: Timestamp,
    },
    /// It waits for the outside.
    Waited {
        /// When it is looked at again.
        resume_at: Timestamp,
    },
    /// It cannot succeed; what was started is undone.
    CompensationStarted {
        /// Why, in a word for machines.
        code: Arc<str>,
        /// Why, for people.
        reason: Reason,
        /// When somebody else goes on.
        resume_at: Timestamp,
    },
    /// These steps are undone.
    StepsUndone {
        /// In order.
        steps: Vec<Step>,
        /// When somebody else goes on.
        resume_at: Timestamp,
    },
    /// Every step was taken.
    Completed,
    /// Every step that was started is undone.
    Compensated,
    /// Somebody has to look at it.
    InterventionRequired {
        /// Why.
        reason: Reason,
    },
    /// An operator had the step tried again.
    Retried {
        /// When somebody else goes on.
        resume_at: Timestamp,
    },
    /// An operator took the step as taken.
    Skipped {
        /// Which.
        step: Step,
        /// When somebody else goes on.
        resume_at: Timestamp,
    },
}

event_types! {
    CheckoutEvent {
        Started => "CheckoutStarted" v1,
        StepsTaken => "CheckoutStepsTaken" v1,
        Waited => "CheckoutWaited" v1,
        CompensationStarted => "CheckoutCompensationStarted" v1,
        StepsUndone => "CheckoutStepsUndone" v1,
        Completed => "CheckoutCompleted" v1,
        Compensated => "CheckoutCompensated" v1,
        InterventionRequired => "CheckoutInterventionRequired" v1,
        Retried => "CheckoutRetried" v1,
        Skipped => "CheckoutStepSkipped" v1,
    }
}
