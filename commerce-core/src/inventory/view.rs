//! What can be asked about stock.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::event::{ReservationEvent, StockEvent};
use super::policy::stock_pool;
use super::stock::StockItem;
use crate::kernel::aggregate::Aggregate;
use crate::kernel::effects::Effects;
use crate::kernel::pool::{NetMove, PoolLevel};
use crate::value::Sku;
use crate::value::id::{LocationId, StockItemId};

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

/// A SKU at a location in a list of stock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockSummary {
    /// What.
    pub sku: Sku,
    /// Where.
    pub location: LocationId,
    /// Below how many available units an alert is wanted.
    pub threshold: Option<u32>,
    level: PoolLevel,
}

impl StockSummary {
    /// What an event of the stock item makes of it; `None` where the event cannot follow what is known.
    pub fn follow(known: Option<Self>, item: StockItemId, event: &StockEvent) -> Option<Self> {
        match (known, event) {
            (None, StockEvent::Opened { sku, location }) => {
                let (sku, location, level) = (sku.clone(), *location, PoolLevel::default());
                Some(Self { sku, location, threshold: None, level })
            }
            (None, _) | (Some(_), StockEvent::Opened { .. }) => None,
            (Some(stock), StockEvent::ThresholdSet { threshold }) => {
                Some(Self { threshold: *threshold, ..stock })
            }
            (Some(stock), event) => Some(stock.moved(StockItem::effects(item, event))),
        }
    }

    /// What the effects of any event make of it: its own moves, none of other pools.
    #[must_use]
    pub fn moved(mut self, effects: Effects) -> Self {
        let pool = stock_pool(&self.sku, self.location);
        let mut net = NetMove::default();
        for step in effects.moves.into_iter().filter(|step| step.pool == pool) {
            net.add(step.op);
        }
        let by = net.total();
        self.level = PoolLevel {
            available: self.level.available.saturating_add(by.available),
            held: self.level.held.saturating_add(by.held),
            allocated: self.level.allocated.saturating_add(by.allocated),
            floor: net.sums().floor.unwrap_or(self.level.floor),
        };
        self
    }

    /// How much there is.
    pub fn level(&self) -> StockLevel {
        self.level.into()
    }

    /// Whether fewer units are available than the threshold says.
    pub fn is_low(&self) -> bool {
        self.threshold.is_some_and(|threshold| self.level.available < i64::from(threshold))
    }
}

/// The SKUs and locations whose stock an event of a reservation moves.
pub fn reserved_stock(event: &ReservationEvent) -> BTreeSet<(&Sku, LocationId)> {
    use ReservationEvent as E;
    match event {
        E::Reserved { lines, .. } => lines.iter().map(|line| (&line.sku, line.location)).collect(),
        E::Extended { .. } | E::Pinned => BTreeSet::new(),
        E::Committed { units }
        | E::Released { units, .. }
        | E::CommitmentReleased { units, .. }
        | E::Consumed { units }
        | E::Expired { units } => units.iter().map(|units| (&units.sku, units.location)).collect(),
    }
}
