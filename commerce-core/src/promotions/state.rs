//! Where promotions and their uses stand.

use serde::{Deserialize, Serialize};

/// The stored states of a promotion (see [`PROMOTION_TRANSITIONS`]); see
/// [`Standing`](super::view::Standing) for those that follow from the time and the pools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromotionStatus {
    /// Being prepared.
    Draft,
    /// In force, within its window.
    Active,
    /// Suspended.
    Paused,
    /// Over, by a decision.
    Ended,
    /// Put away; its code is free again.
    Archived,
}

/// From, command, to: the table that the documentation is made from.
pub const PROMOTION_TRANSITIONS: &[(&str, &str, &str)] = &[
    ("–", "Create", "Draft"),
    ("Draft", "Activate", "Active"),
    ("Active", "Pause", "Paused"),
    ("Paused", "Resume", "Active"),
    ("Active", "End", "Ended"),
    ("Paused", "End", "Ended"),
    ("Ended", "Archive", "Archived"),
    ("Draft", "Archive", "Archived"),
];

/// The states of a use of a promotion (see [`REDEMPTION_TRANSITIONS`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RedemptionStatus {
    /// Held for a buyer who has not paid yet.
    Held,
    /// Used by an order.
    Redeemed,
    /// Given back before an order used it.
    Released,
    /// Given back because the hold ended by the clock.
    Expired,
    /// The order that used it was cancelled.
    Reversed,
}

/// From, command, to: the table that the documentation is made from.
pub const REDEMPTION_TRANSITIONS: &[(&str, &str, &str)] = &[
    ("–", "Hold", "Held"),
    ("Held", "Extend", "Held"),
    ("Held", "Redeem", "Redeemed"),
    ("Held", "Release", "Released"),
    ("Held", "Expire", "Expired"),
    ("Redeemed", "Reverse", "Reversed"),
];
