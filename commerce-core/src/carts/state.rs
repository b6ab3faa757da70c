//! Where a cart stands.

use serde::{Deserialize, Serialize};

use crate::value::id::CheckoutId;
use crate::value::time::Timestamp;

/// The states of a cart and what leads from one to the next (see [`TRANSITIONS`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It can be changed.
    Active,
    /// A checkout has locked it.
    CheckingOut,
    /// It became an order.
    Converted,
    /// Its lines went into another cart.
    Merged,
    /// The buyer has not come back so far.
    Abandoned,
    /// It is too old to come back to.
    Expired,
}

impl Status {
    /// Whether nothing can happen any more.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Converted | Self::Merged | Self::Expired)
    }
}

/// From, command, to: the table that the documentation is made from.
pub const TRANSITIONS: &[(&str, &str, &str)] = &[
    ("–", "Create", "Active"),
    ("Active", "StartCheckout", "CheckingOut"),
    ("CheckingOut", "FailCheckout", "Active"),
    ("CheckingOut", "Convert", "Converted"),
    ("Active", "MergeInto", "Merged"),
    ("Active", "Abandon", "Abandoned"),
    ("Abandoned", "Reactivate", "Active"),
    ("Active", "Expire", "Expired"),
    ("Abandoned", "Expire", "Expired"),
];

/// The lock that a checkout has on its cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckoutLock {
    /// Whose it is.
    pub checkout: CheckoutId,
    /// The how-many-eth checkout of this cart it is, from 1.
    pub number: u32,
    /// When the checkout is woken; the lock does not end by itself.
    pub deadline: Timestamp,
}
