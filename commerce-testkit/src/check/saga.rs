//! The course of a checkout: forward or backward, never both.

use std::collections::BTreeMap;

use commerce_core::checkout::machine::{STEPS, Status, Step};
use commerce_core::checkout::{Checkout, CheckoutEvent};
use commerce_core::kernel::aggregate::Aggregate;
use commerce_core::kernel::codec::decode;
use commerce_core::kernel::event::RecordedEvent;
use uuid::Uuid;

use super::{Breach, Rule};

/// How far a checkout was taken, and undone.
#[derive(Debug, Default)]
struct Course {
    undoing: bool,
    undone: Vec<Step>,
    status: Option<Status>,
}

/// The courses of all checkouts.
#[derive(Debug, Default)]
pub(super) struct Courses(BTreeMap<Uuid, Course>);

fn breach(breaches: &mut Vec<Breach>, what: String) {
    breaches.push(Breach::new(Rule::Sagas, what));
}

impl Courses {
    /// Steps are undone in the reverse of their order, and none is taken from then on.
    pub(super) fn note(&mut self, recorded: &RecordedEvent, breaches: &mut Vec<Breach>) {
        if recorded.stream.kind != Checkout::NAME {
            return;
        }
        let Ok(event) = decode::<CheckoutEvent>(&recorded.event) else { return };
        let course = self.0.entry(recorded.stream.id).or_default();
        match event {
            CheckoutEvent::CompensationStarted { .. } => course.undoing = true,
            CheckoutEvent::StepsTaken { steps, .. } if course.undoing => {
                breach(breaches, format!("{} takes {steps:?} while it is undone", recorded.stream));
            }
            CheckoutEvent::StepsUndone { steps, .. } => {
                course.undone.extend(steps);
                let before_pivot = STEPS.iter().rev().map(|(step, ..)| *step).filter(|s| s.is_before_pivot());
                let expected: Vec<_> = before_pivot.take(course.undone.len()).collect();
                if !course.undoing || course.undone != expected {
                    breach(breaches, format!("{} undoes {:?}", recorded.stream, course.undone));
                }
            }
            _ => {}
        }
    }

    /// No way leads from undoing to doing, from one end to another, or back in front of the pivot.
    pub(super) fn moved(&mut self, checkout: Uuid, later: Status, breaches: &mut Vec<Breach>) {
        let course = self.0.entry(checkout).or_default();
        let Some(earlier) = course.status.replace(later) else { return };
        let undoing = |status| matches!(status, Status::Compensating(_) | Status::Compensated);
        let step = |status| match status {
            Status::Running(step) | Status::Waiting(step) | Status::ManualIntervention(step) => Some(step),
            _ => None,
        };
        let turned = undoing(earlier) && !undoing(later) && !matches!(later, Status::ManualIntervention(_));
        let revived = earlier.is_terminal() && earlier != later;
        let back = matches!((step(earlier), step(later)), (Some(earlier), Some(later)) if later < earlier);
        let unpivoted = step(earlier).is_some_and(|step| step > Step::Confirm) && undoing(later);
        // A checkout that is given up while it is undone stands at the step that it could not undo.
        if turned || revived || (back && !course.undoing) || unpivoted {
            breach(breaches, format!("checkout {checkout} went from {earlier:?} to {later:?}"));
        }
    }
}
