//! Histories of checkouts.

use commerce_core::checkout::machine::{STEPS, Step};
use commerce_core::checkout::{Checkout, CheckoutCommand, CheckoutPlan, PaymentPlan};
use commerce_core::settings::CapturePolicy;
use proptest::prelude::{BoxedStrategy, Strategy, any, prop_oneof};

use super::{Storied, euros, nth, reason, soon};

/// Neighbouring steps, in the order in which they are taken.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    (0..STEPS.len(), 1_usize..6)
        .prop_map(|(from, count)| STEPS.iter().skip(from).take(count).map(|(step, ..)| *step).collect())
}

impl Storied for Checkout {
    fn begins() -> BoxedStrategy<CheckoutCommand> {
        (euros(), any::<bool>(), soon(), soon())
            .prop_map(|(total, reserves, deadline, resume_at)| {
                let payment = PaymentPlan { gateway: "fake".into(), method: "token".into() };
                let plan = CheckoutPlan {
                    cart: nth(0),
                    number: 1,
                    subject: nth(0),
                    customer: None,
                    total,
                    payment: Some(payment),
                    capture: CapturePolicy::AtConfirm,
                    redemptions: vec![nth(0)],
                    reserves,
                    ships_from: vec![nth(0)],
                    backordered: false,
                    deadline,
                    correlation: None,
                };
                CheckoutCommand::Start { checkout: nth(0), plan, resume_at }
            })
            .boxed()
    }

    fn continues() -> BoxedStrategy<CheckoutCommand> {
        use CheckoutCommand as C;
        let first = (1_usize..6).prop_map(|count| STEPS.iter().take(count).map(|(step, ..)| *step).collect());
        let back = (0_usize..5, 1_usize..6).prop_map(|(from, count)| {
            let undone = STEPS.iter().take(5).rev().skip(from).take(count);
            undone.map(|(step, ..)| *step).collect::<Vec<_>>()
        });
        prop_oneof![
            3 => (first, soon()).prop_map(|(steps, resume_at)| C::Take { steps, resume_at }),
            8 => (steps(), soon()).prop_map(|(steps, resume_at)| C::Take { steps, resume_at }),
            2 => soon().prop_map(|resume_at| C::Wait { resume_at }),
            1 => (reason(), soon()).prop_map(|(reason, resume_at)| {
                C::Fail { code: "declined".into(), reason, resume_at }
            }),
            4 => (back, soon()).prop_map(|(steps, resume_at)| C::Undo { steps, resume_at }),
            1 => reason().prop_map(|reason| C::GiveUp { reason }),
            2 => soon().prop_map(|resume_at| C::Retry { resume_at }),
            1 => soon().prop_map(|resume_at| C::Skip { resume_at }),
            1 => (reason(), soon())
                .prop_map(|(reason, resume_at)| C::ForceCompensate { reason, resume_at }),
        ]
        .boxed()
    }
}
