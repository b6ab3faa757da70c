//! How many units of a line have gone where.

use serde::{Deserialize, Serialize};

/// The quantity ledger of one line. Sums only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LineLedger {
    /// Units bought.
    pub ordered: u32,
    /// Units given up before they were shipped.
    pub cancelled: u32,
    /// Units of stock promised.
    pub allocated: u32,
    /// Units that left.
    pub shipped: u32,
    /// Units that arrived.
    pub delivered: u32,
    /// Units that the buyer wants to send back.
    pub return_requested: u32,
    /// Units of returns that were refused, given up or never came.
    #[serde(default)]
    pub return_withdrawn: u32,
    /// Units that came back.
    pub return_received: u32,
    /// Units that went on sale again.
    pub restocked: u32,
    /// Units that came back unsaleable.
    pub written_off: u32,
}

/// A column of the ledger that a command adds to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Movement {
    /// Given up before they were shipped.
    Cancelled,
    /// Left.
    Shipped,
    /// Arrived.
    Delivered,
    /// The buyer wants to send them back.
    ReturnRequested,
    /// Are in no return any more: it was refused or given up, or they never came.
    ReturnWithdrawn,
    /// Came back.
    ReturnReceived,
    /// Went on sale again.
    Restocked,
    /// Came back unsaleable.
    WrittenOff,
}

impl LineLedger {
    /// Units that are still wanted.
    pub const fn wanted(&self) -> u32 {
        self.ordered.saturating_sub(self.cancelled)
    }

    /// The ledger once so many units are wanted, all of them promised; nothing where more have left.
    pub fn retargeted(mut self, wanted: u32) -> Option<Self> {
        let now = self.wanted();
        if wanted >= now {
            self.ordered = self.ordered.checked_add(wanted.saturating_sub(now))?;
            self.allocated = wanted;
            return Some(self);
        }
        self.moved(Movement::Cancelled, now.saturating_sub(wanted))
    }

    /// How many more units can make this movement.
    pub const fn room(&self, movement: Movement) -> u32 {
        match movement {
            Movement::Cancelled => self.ordered.saturating_sub(self.cancelled).saturating_sub(self.shipped),
            Movement::Shipped => self.allocated.saturating_sub(self.shipped),
            Movement::Delivered => self.shipped.saturating_sub(self.delivered),
            Movement::ReturnRequested => {
                self.delivered.saturating_sub(self.return_requested.saturating_sub(self.return_withdrawn))
            }
            Movement::ReturnWithdrawn | Movement::ReturnReceived => self
                .return_requested
                .saturating_sub(self.return_withdrawn)
                .saturating_sub(self.return_received),
            Movement::Restocked | Movement::WrittenOff => {
                self.return_received.saturating_sub(self.restocked).saturating_sub(self.written_off)
            }
        }
    }

    /// The ledger behind the movement, or nothing where there is no room for it.
    pub fn moved(mut self, movement: Movement, units: u32) -> Option<Self> {
        if units > self.room(movement) {
            return None;
        }
        let column = match movement {
            Movement::Cancelled => &mut self.cancelled,
            Movement::Shipped => &mut self.shipped,
            Movement::Delivered => &mut self.delivered,
            Movement::ReturnRequested => &mut self.return_requested,
            Movement::ReturnWithdrawn => &mut self.return_withdrawn,
            Movement::ReturnReceived => &mut self.return_received,
            Movement::Restocked => &mut self.restocked,
            Movement::WrittenOff => &mut self.written_off,
        };
        *column = column.checked_add(units)?;
        if movement == Movement::Cancelled {
            // Cancelled units are not promised any more.
            self.allocated = self.allocated.min(self.wanted());
        }
        Some(self)
    }
}
