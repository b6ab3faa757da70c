//! What happens to sagas, read from the events that tell it.

use std::any::Any;

use super::trace_of;
use crate::app::commerce::Commerce;
use crate::checkout::machine::{Status, Step};
use crate::checkout::state::FIRST_STEPS;
use crate::checkout::{Checkout, CheckoutEvent};
use crate::kernel::aggregate::{Aggregate, Instance};
use crate::kernel::codec::decode;
use crate::kernel::commit::{Commit, Receipt};
use crate::kernel::error::CommitError;
use crate::port::observer::{Signal, StepOutcome, Trace};

/// What a commit does to a saga; to be told once it is stored.
#[derive(Debug)]
struct Steps {
    trace: Trace,
    events: Vec<CheckoutEvent>,
}

impl Commerce {
    /// Commits, and signals what that does to a saga, which stands where the commit leaves it.
    pub(in crate::app) async fn commit_steps(
        &self,
        commit: Commit,
        saga: &Instance<Checkout>,
    ) -> Result<Receipt, CommitError> {
        let steps = self.is_watched().then(|| Steps::of(&commit, saga));
        let done = self.commit_resolved(commit).await;
        if let (Some(steps), Ok(_)) = (steps, &done) {
            self.stepped(&steps, saga);
        }
        done
    }

    /// Signals what was done to a saga by a command of its own.
    pub(in crate::app) fn stepped_by<A: Aggregate>(&self, instance: &Instance<A>, events: &[A::Event]) {
        if !self.is_watched() || A::NAME != Checkout::NAME {
            return;
        }
        let saga = (instance as &dyn Any).downcast_ref::<Instance<Checkout>>();
        let events = events.iter().filter_map(|event| (event as &dyn Any).downcast_ref().cloned());
        if let Some(saga) = saga {
            self.stepped(&Steps { trace: self.trace(), events: events.collect() }, saga);
        }
    }

    fn stepped(&self, steps: &Steps, saga: &Instance<Checkout>) {
        let Some(state) = saga.state.as_ref() else { return };
        let (trace, id, at) = (steps.trace, saga.id.uuid(), step_of(state.status()));
        for event in &steps.events {
            let (these, outcome) = match event {
                CheckoutEvent::Started { .. } => (FIRST_STEPS.to_vec(), StepOutcome::Taken),
                CheckoutEvent::StepsTaken { steps, .. } => (steps.clone(), StepOutcome::Taken),
                CheckoutEvent::StepsUndone { steps, .. } => (steps.clone(), StepOutcome::Undone),
                CheckoutEvent::Skipped { step, .. } => (vec![*step], StepOutcome::Skipped),
                CheckoutEvent::Waited { .. } => (at.into_iter().collect(), StepOutcome::Waits),
                CheckoutEvent::Retried { .. } => (at.into_iter().collect(), StepOutcome::Retried),
                CheckoutEvent::CompensationStarted { .. } => (failed_at(steps, at), StepOutcome::Failed),
                CheckoutEvent::InterventionRequired { .. } => {
                    let step = at.map_or("none", Step::name);
                    self.signal(|| Signal::SagaParked { trace, saga: Checkout::NAME, id, step });
                    continue;
                }
                CheckoutEvent::Completed | CheckoutEvent::Compensated => continue,
            };
            for step in these.into_iter().map(Step::name) {
                self.signal(|| Signal::SagaStep { trace, saga: Checkout::NAME, id, step, outcome });
            }
        }
    }
}

impl Steps {
    /// What a commit does to this saga.
    fn of(commit: &Commit, saga: &Instance<Checkout>) -> Self {
        let stream = saga.stream();
        let append = commit.append.iter().find(|append| append.stream == stream);
        let events = append.into_iter().flat_map(|append| &append.events);
        Self { trace: trace_of(commit), events: events.filter_map(|event| decode(event).ok()).collect() }
    }
}

/// The step at which a saga fails: the first one that is undone by the same commit, or where it stands.
fn failed_at(steps: &Steps, at: Option<Step>) -> Vec<Step> {
    let undone = steps.events.iter().find_map(|event| match event {
        CheckoutEvent::StepsUndone { steps, .. } => steps.first().copied(),
        _ => None,
    });
    undone.or(at).into_iter().collect()
}

const fn step_of(status: Status) -> Option<Step> {
    match status {
        Status::Running(step)
        | Status::Waiting(step)
        | Status::Compensating(step)
        | Status::ManualIntervention(step) => Some(step),
        Status::Completed | Status::Compensated => None,
    }
}
