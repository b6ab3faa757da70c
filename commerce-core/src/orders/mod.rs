//! Orders: what was bought, at which price, and how much of it has gone where.
//!
//! An order has three axes. Its *lifecycle* is a small machine whose table is data
//! ([`TRANSITIONS`]). Its *payment status* and its *fulfilment status* are functions
//! of sums: what payments report, and a quantity ledger per line. Product names, prices, taxes and
//! addresses are snapshots of the moment of placement; nothing recomputes them.
//!
//! # Invariants
//!
//! - `orders_1` at least one line, one currency, total = Σ parts, total ≥ 0;
//! - `orders_2` the lifecycle changes only as its table says;
//! - `orders_3` per line, delivered ≤ shipped ≤ allocated ≤ ordered − cancelled, and returns never exceed
//!   what was delivered;
//! - `orders_4` snapshots never change, except by an edit that was confirmed;
//! - `orders_5` derived statuses equal recomputation;
//! - `orders_6` cancelling needs that nothing was shipped;
//! - `orders_7` an edit is without effect until it is confirmed, and then whole;
//! - `orders_8` replay gives the live state;
//! - `orders_9` one order per cart;
//! - `orders_10` confirmed means that stock and payment are secured, or that somebody overrode it by name.

pub mod command;
pub mod edit;
pub mod error;
pub mod event;
pub mod ledger;
pub mod lifecycle;
pub mod number;
pub mod revision;
pub mod snapshot;
pub mod state;
pub mod status;
pub mod view;

pub use command::OrderCommand;
pub use edit::{OrderEdit, OrderEditCommand, OrderEditError, OrderEditEvent};
pub use error::OrderError;
pub use event::OrderEvent;
pub use ledger::LineLedger;
pub use lifecycle::{OrderStatus, TRANSITIONS, Trigger};
pub use number::OrderNumber;
pub use revision::{LineTarget, Revised, Revision};
pub use snapshot::{Coverage, OrderContent, OrderLine, PaymentSums};
pub use state::{CART_SCOPE, NUMBER_SCOPE, Order};
pub use status::{FulfilmentStatus, OrderPaymentStatus};
pub use view::OrderSummary;
