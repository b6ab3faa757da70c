//! What can be asked about stock.

use serde::{Deserialize, Serialize};

use crate::kernel::pool::PoolLevel;

/// The level of a SKU at a location.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockLevel {
    /// Units that are there, whoever they are promised to; below zero by backorders and counts.
    pub on_hand: i64,
    /// Units held for buyers who have not paid yet.
    pub held: i64,
    /// Units promised for good.
    pub allocated: i64,
    /// Units that a reservation made now would get; never more.
    pub available: i64,
}

impl From<PoolLevel> for StockLevel {
    fn from(level: PoolLevel) -> Self {
        Self {
            on_hand: level.physical(),
            held: level.held,
            allocated: level.allocated,
            available: level.holdable(),
        }
    }
}
