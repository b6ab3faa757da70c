//! How the gateway of a simulation behaves.

use crate::fake::Behaviour;

/// Where a buyer is sent.
const BANK: &str = "https://bank.example/confirm";

/// Of a hundred authorisations.
pub(super) fn authorisations() -> Vec<(u32, Behaviour)> {
    vec![
        (40, Behaviour::Approve),
        (18, Behaviour::Capture),
        (10, Behaviour::Decline("card-expired")),
        (16, Behaviour::Redirect(BANK)),
        (6, Behaviour::Process),
        (4, Behaviour::LoseAnswer),
        (3, Behaviour::CaptureAndLoseAnswer),
        (2, Behaviour::FailBefore),
        (1, Behaviour::LoseRequest),
    ]
}

/// Of a hundred captures, voids and refunds.
pub(super) fn operations() -> Vec<(u32, Behaviour)> {
    vec![
        (90, Behaviour::Approve),
        (2, Behaviour::Decline("not-now")),
        (4, Behaviour::LoseAnswer),
        (3, Behaviour::FailBefore),
        (1, Behaviour::LoseRequest),
    ]
}
