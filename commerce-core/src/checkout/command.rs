//! What can be asked of a checkout. Hosts use the facade; operators use the last three.

use std::sync::Arc;

use serde::Serialize;

use super::event::CheckoutPlan;
use super::machine::Step;
use super::state::Checkout;
use crate::kernel::aggregate::{Command, Permission};
use crate::value::Reason;
use crate::value::id::CheckoutId;
use crate::value::time::Timestamp;

/// Asks something of a checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum CheckoutCommand {
    /// Everything local is held: steps up to placing the order are taken.
    Start {
        /// Its own id.
        checkout: CheckoutId,
        /// What it does.
        plan: CheckoutPlan,
        /// When somebody else goes on.
        resume_at: Timestamp,
    },
    /// These steps were taken.
    Take {
        /// In order.
        steps: Vec<Step>,
        /// When somebody else goes on.
        resume_at: Timestamp,
    },
    /// The outside takes its time.
    Wait {
        /// When it is looked at again.
        resume_at: Timestamp,
    },
    /// It cannot succeed.
    Fail {
        /// Why, in a word for machines.
        code: Arc<str>,
        /// Why, for people.
        reason: Reason,
        /// When somebody else goes on.
        resume_at: Timestamp,
    },
    /// These steps are undone.
    Undo {
        /// In order.
        steps: Vec<Step>,
        /// When somebody else goes on.
        resume_at: Timestamp,
    },
    /// It goes on by itself no more.
    GiveUp {
        /// Why.
        reason: Reason,
    },
    /// Tries the step again.
    Retry {
        /// When somebody else goes on.
        resume_at: Timestamp,
    },
    /// Takes the step as taken; only behind the pivot.
    Skip {
        /// When somebody else goes on.
        resume_at: Timestamp,
    },
    /// Undoes everything; only before the pivot.
    ForceCompensate {
        /// Why.
        reason: Reason,
        /// When somebody else goes on.
        resume_at: Timestamp,
    },
}

impl Command for CheckoutCommand {
    type Target = Checkout;

    fn permission(&self) -> Permission {
        let action = match self {
            Self::Start { .. } => "start",
            Self::Take { .. }
            | Self::Wait { .. }
            | Self::Fail { .. }
            | Self::Undo { .. }
            | Self::GiveUp { .. } => "advance",
            Self::Retry { .. } => "retry",
            Self::Skip { .. } => "skip",
            Self::ForceCompensate { .. } => "force-compensate",
        };
        Permission::new("checkout", action)
    }

    fn stands_alone(&self) -> bool {
        matches!(self, Self::Retry { .. } | Self::Skip { .. } | Self::ForceCompensate { .. })
    }
}
