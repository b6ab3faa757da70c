//! The checkout on one screen: which step comes next, and what may follow on what.

use serde::{Deserialize, Serialize};

/// The steps, in the order in which they are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Lock the cart and freeze its prices.
    Price,
    /// Hold what promotions limit.
    HoldCoupons,
    /// Hold the stock.
    ReserveStock,
    /// Place the order, which is pending from then on.
    PlaceOrder,
    /// Ask the gateway for the money; may wait for the buyer.
    Authorise,
    /// The pivot: from here on only forward.
    Confirm,
    /// Promise the stock for good.
    CommitStock,
    /// Use the coupons up.
    RedeemCoupons,
    /// Take the money.
    Capture,
    /// Have it sent.
    CreateShipment,
    /// Tell the buyer.
    Notify,
}

/// Whether a step can be undone, and where it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing to undo but the lock.
    Local,
    /// Undone when the checkout fails.
    Compensable,
    /// Undone when the checkout fails, and asks the world.
    Gateway,
    /// The point of no return.
    Pivot,
    /// Repeated until it succeeds.
    Retriable,
    /// Repeated until it succeeds, and asks the world.
    RetriableGateway,
    /// Never fails the checkout.
    BestEffort,
}

/// The steps, what kind they are, and what undoes them: the table that the documentation is made from.
pub const STEPS: &[(Step, Kind, &str)] = &[
    (Step::Price, Kind::Local, "unlock the cart"),
    (Step::HoldCoupons, Kind::Compensable, "release the holds"),
    (Step::ReserveStock, Kind::Compensable, "release the reservation"),
    (Step::PlaceOrder, Kind::Compensable, "fail the order"),
    (Step::Authorise, Kind::Gateway, "void, or refund what was captured"),
    (Step::Confirm, Kind::Pivot, "–"),
    (Step::CommitStock, Kind::Retriable, "–"),
    (Step::RedeemCoupons, Kind::Retriable, "–"),
    (Step::Capture, Kind::RetriableGateway, "–"),
    (Step::CreateShipment, Kind::Retriable, "–"),
    (Step::Notify, Kind::BestEffort, "–"),
];

impl Step {
    /// Its name, as it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Price => "price",
            Self::HoldCoupons => "hold_coupons",
            Self::ReserveStock => "reserve_stock",
            Self::PlaceOrder => "place_order",
            Self::Authorise => "authorise",
            Self::Confirm => "confirm",
            Self::CommitStock => "commit_stock",
            Self::RedeemCoupons => "redeem_coupons",
            Self::Capture => "capture",
            Self::CreateShipment => "create_shipment",
            Self::Notify => "notify",
        }
    }

    /// The step behind this one.
    pub fn next(self) -> Option<Self> {
        let mut steps = STEPS.iter().map(|(step, ..)| *step).skip_while(move |step| *step != self);
        steps.nth(1)
    }

    /// Whether it comes before the pivot, so that it can still be undone.
    pub fn is_before_pivot(self) -> bool {
        self < Self::Confirm
    }
}

/// Where a checkout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Takes this step next, or is at it.
    Running(Step),
    /// Waits for the outside at this step until a deadline.
    Waiting(Step),
    /// Undoes this step next, or is at it.
    Compensating(Step),
    /// Every step was taken.
    Completed,
    /// Every step that was started is undone.
    Compensated,
    /// Somebody has to look at it; this step could not be taken or undone.
    ManualIntervention(Step),
}

/// Something that is asked of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Input {
    /// The step was taken.
    Done(Step),
    /// The outside takes its time.
    Wait,
    /// The outside has answered.
    Wake,
    /// The checkout cannot succeed.
    Fail,
    /// The step is undone.
    Undone(Step),
    /// It goes on by itself no more.
    GiveUp,
    /// An operator: try the step again.
    Retry,
    /// An operator: take the step as taken; only behind the pivot.
    Skip,
    /// An operator: undo everything; only before the pivot.
    ForceCompensate,
}

/// The whole machine: where the input leads, or nothing where it is not allowed.
pub fn next(status: Status, input: Input) -> Option<Status> {
    use Status::{Compensated, Compensating, Completed, ManualIntervention, Running, Waiting};
    let forward = |step: Step| step.next().map_or(Completed, Running);
    let backward = |step: Step| {
        let before = STEPS.iter().rev().map(|(known, ..)| *known).find(|known| *known < step);
        before.map_or(Compensated, Compensating)
    };
    Some(match (status, input) {
        (Running(at) | Waiting(at), Input::Done(step)) if at == step => forward(step),
        (Running(at), Input::Wait) if at.is_before_pivot() => Waiting(at),
        // Waiting behind the pivot, or while undoing, is only a later look at the same step.
        (Running(_) | Waiting(_) | Compensating(_), Input::Wait) => status,
        (Waiting(at), Input::Wake) | (ManualIntervention(at), Input::Retry) => Running(at),
        (Running(at) | Waiting(at), Input::Fail) | (ManualIntervention(at), Input::ForceCompensate)
            if at.is_before_pivot() =>
        {
            Compensating(at)
        }
        // Payment is covered but the order cannot be confirmed: the pivot itself was not passed.
        (Running(Step::Confirm), Input::Fail) => Compensating(Step::Authorise),
        (Compensating(at), Input::Undone(step)) if at == step => backward(step),
        (Running(at) | Waiting(at) | Compensating(at), Input::GiveUp) => ManualIntervention(at),
        (ManualIntervention(at), Input::Skip) if at > Step::Confirm => forward(at),
        _ => return None,
    })
}

impl Status {
    /// Whether nothing can happen any more.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Compensated)
    }
}

/// The steps as Markdown, for the documentation.
pub fn markdown() -> String {
    let rows = STEPS
        .iter()
        .zip(1..)
        .map(|((step, kind, undo), number)| format!("| {number} | {step:?} | {kind:?} | {undo} |\n"));
    ["| # | step | kind | undone by |\n|---|---|---|---|\n".to_owned()].into_iter().chain(rows).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_called_what_it_is_stored_as() {
        for (step, ..) in STEPS {
            assert_eq!(serde_json::to_string(step).unwrap(), format!("\"{}\"", step.name()));
        }
    }

    fn inputs() -> Vec<Input> {
        let steps = STEPS.iter().map(|(step, ..)| *step);
        let mut inputs: Vec<_> = steps.flat_map(|step| [Input::Done(step), Input::Undone(step)]).collect();
        inputs.extend([
            Input::Wait,
            Input::Wake,
            Input::Fail,
            Input::GiveUp,
            Input::Retry,
            Input::Skip,
            Input::ForceCompensate,
        ]);
        inputs
    }

    /// Everything that can be reached, by breadth-first search over all inputs.
    fn reachable(from: Status) -> Vec<Status> {
        let mut seen = vec![from];
        let mut index = 0;
        while let Some(status) = seen.get(index).copied() {
            for after in inputs().into_iter().filter_map(|input| next(status, input)) {
                if !seen.contains(&after) {
                    seen.push(after);
                }
            }
            index += 1;
        }
        seen
    }

    #[test]
    fn steps_are_in_the_order_of_the_enum() {
        assert!(STEPS.is_sorted_by_key(|(step, ..)| *step));
        assert_eq!(Step::Notify.next(), None);
    }

    #[test]
    fn every_state_can_still_end() {
        for status in reachable(Status::Running(Step::Price)) {
            let ends = reachable(status);
            assert!(ends.iter().any(|end| end.is_terminal()), "{status:?} is stuck");
        }
    }

    #[test]
    fn nothing_behind_the_pivot_is_ever_undone() {
        for status in reachable(Status::Running(Step::CommitStock)) {
            assert!(!matches!(status, Status::Compensating(_) | Status::Compensated), "{status:?}");
        }
    }

    #[test]
    fn no_step_is_taken_once_undoing_has_begun() {
        for status in reachable(Status::Running(Step::Price)) {
            if let Status::Compensating(_) = status {
                for input in inputs() {
                    let after = next(status, input);
                    assert!(!matches!(after, Some(Status::Running(_) | Status::Waiting(_))), "{input:?}");
                }
            }
        }
    }

    #[test]
    fn what_was_started_is_undone_in_reverse() {
        let mut status = Status::Compensating(Step::Authorise);
        let mut undone = Vec::new();
        while let Status::Compensating(step) = status {
            undone.push(step);
            status = next(status, Input::Undone(step)).unwrap();
        }
        let mut forward = undone.clone();
        forward.sort();
        forward.reverse();
        assert_eq!(undone, forward);
        assert_eq!(status, Status::Compensated);
    }
}
