//! What the contract of the `PaymentGateway` port says, as named checks for whoever writes one.

pub(crate) mod callback;
pub(crate) mod charge;
mod fixture;
mod list;
pub(crate) mod operation;

pub use fixture::GatewayFixture;
pub use list::gateway_checks;
