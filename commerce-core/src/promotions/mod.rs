//! Promotions: which discounts exist, and who has used them.
//!
//! A [`Promotion`] holds the rule that pricing evaluates and supplies two pools, uses and budget. A
//! [`Redemption`] takes from them for one checkout: held while the buyer pays, allocated once the order
//! stands, given back when it fails. Only the pools count, so two buyers never share the last use. That
//! a promotion has not begun, is over or is used up is derived from the time and the pools, not written.
//!
//! # Invariants
//!
//! - `promotions_1` redeemed + held never exceeds the usage limit, nor that of one customer;
//! - `promotions_2` a hold is redeemed, released or expired, once; a redeemed use comes back once, and
//!   only where the promotion says so;
//! - `promotions_3` what was granted never exceeds the budget; a grant is given whole or not at all.

pub mod command;
pub mod error;
pub mod event;
pub mod policy;
pub mod promotion;
pub mod redemption;
pub mod state;
#[cfg(test)]
mod tests;
pub mod view;

pub use command::{PromotionCommand, RedemptionCommand};
pub use error::{PromotionError, RedemptionError};
pub use event::{Grant, Listing, PromotionEvent, RedemptionEvent};
pub use policy::{ACTIVE_SCOPE, CODE_SCOPE, budget_pool, customer_uses_pool, redemption_id, uses_pool};
pub use promotion::Promotion;
pub use redemption::Redemption;
pub use state::{PROMOTION_TRANSITIONS, PromotionStatus, REDEMPTION_TRANSITIONS, RedemptionStatus};
pub use view::Standing;
