//! Payments: attempts to pay an order, and the ledger of what gateways say of them.
//!
//! An order has many payments; each is one attempt at one gateway. What the shop asks for is *decided*
//! (initiate, capture, void, refund) and written down with its idempotency key before the gateway is
//! called. What the gateway says is *recorded*: a ledger entry per operation and kind, each once, folded
//! without regard to the order of arrival. A time-out is an unknown outcome and is looked up, never
//! assumed. Money that arrives after the attempt was given up is sent back by the same decision that
//! records it.
//!
//! # Invariants
//!
//! - `payments_1` never more is captured than authorised by our doing; what a gateway reports beyond is
//!   recorded as overpaid;
//! - `payments_2` refunds, pending and done, never exceed captured − charged back;
//! - `payments_3` the ledger only grows, and a second delivery is a no-op;
//! - `payments_4` the state does not depend on the order of arrival, nor on repetition;
//! - `payments_6` an unknown outcome is looked up;
//! - `payments_7` a void only where nothing was captured; money after a void goes back;
//! - `payments_8` every entry is in the payment's currency;
//! - `payments_9` no fact lowers what was captured;
//! - `payments_10` a callback that is not accepted changes nothing and is kept with its reason.

pub mod command;
pub mod error;
pub mod event;
mod facts;
pub mod ledger;
pub mod parked;
pub mod quarantine;
pub mod state;

pub use command::PaymentCommand;
pub use error::PaymentError;
pub use event::PaymentEvent;
pub use ledger::{Ledger, PaymentStatus, RefundEntry, RefundStatus};
pub use parked::{ParkedCallback, ParkedStatus};
pub use quarantine::{QuarantineEntry, QuarantineReason, QuarantinedCallback};
pub use state::{Payment, REFERENCE_SCOPE, RESOLVE, reference_key};
