//! Checkout: the saga that turns a cart into an order that is paid, or leaves everything as it was.
//!
//! The [`machine`] says which step comes next; it is pure and fits one screen. A [`Checkout`] is the
//! machine as an aggregate, so that it can be resumed by anybody at any instruction. The
//! [`quote`](mod@quote) turns a cart, the catalogue and the settings into frozen prices. [`steps`] and
//! [`compensation`] decide, over all aggregates of a checkout at once, what one commit does. Everything here is
//! synchronous and without I/O; `app` loads, calls gateways and commits.
//!
//! Local steps fuse: one commit in front of the gateway's call, one behind its answer, and a third where
//! capture is a call of its own. An answer that went missing is looked up under the key of the call, never
//! guessed. What a failed checkout undoes are only things whose ids follow from its own.

pub mod assessment;
pub mod command;
pub mod compensation;
pub mod error;
pub mod event;
pub mod fulfil;
pub mod machine;
pub mod party;
pub mod quote;
pub mod repack;
pub mod reprice;
pub mod state;
pub mod steps;
pub mod stock;

pub use command::CheckoutCommand;
pub use error::{CheckoutError, CheckoutRefusal, Unavailable};
pub use event::{CheckoutEvent, CheckoutPlan, PaymentPlan};
pub use state::{Checkout, RESUME, checkout_id, order_of, payment_of, reservation_of};
