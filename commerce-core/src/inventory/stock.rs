//! The stock of one SKU at one location: what came in, and under which policy it is promised.

use serde::{Deserialize, Serialize};

use super::command::StockCommand;
use super::error::StockError;
use super::event::StockEvent;
use super::policy::{StockPolicy, stock_pool};
use crate::kernel::aggregate::{Aggregate, EvolveError};
use crate::kernel::effects::Effects;
use crate::kernel::pool::PoolOp;
use crate::value::Sku;
use crate::value::id::{Id, LocationId, marker};
use crate::value::time::Timestamp;

/// The owner of a stock pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockItem {
    sku: Sku,
    location: LocationId,
    policy: StockPolicy,
    safety_stock: u32,
    threshold: Option<u32>,
    /// Whether the last observed level was below the threshold: the alert is out.
    low: bool,
    observed: Option<(i64, i64)>,
}

impl StockItem {
    /// What is kept.
    pub const fn sku(&self) -> &Sku {
        &self.sku
    }

    /// Where.
    pub const fn location(&self) -> LocationId {
        self.location
    }

    /// When units may be promised that are not there.
    pub const fn policy(&self) -> StockPolicy {
        self.policy
    }

    /// Below how many available units an alert is wanted.
    pub const fn threshold(&self) -> Option<u32> {
        self.threshold
    }

    /// Whether the last observed level was below the threshold.
    pub const fn is_low(&self) -> bool {
        self.low
    }

    fn observe(&self, available: i64, on_hand: i64) -> Vec<StockEvent> {
        if self.observed == Some((available, on_hand)) {
            return Vec::new();
        }
        let (sku, location) = (self.sku.clone(), self.location);
        let mut events = vec![StockEvent::LevelChanged { sku: sku.clone(), location, available, on_hand }];
        if let Some(threshold) =
            self.threshold.filter(|threshold| !self.low && available < i64::from(*threshold))
        {
            events.push(StockEvent::LowStock { sku, location, available, threshold });
        }
        events
    }
}

impl Aggregate for StockItem {
    const NAME: &'static str = "stock_item";
    type Root = marker::StockItem;
    type Command = StockCommand;
    type Event = StockEvent;
    type Error = StockError;

    fn decide(
        state: Option<&Self>,
        command: StockCommand,
        _now: Timestamp,
    ) -> Result<Vec<StockEvent>, StockError> {
        let item = match (state, command) {
            (None, StockCommand::Open { sku, location }) => {
                return Ok(vec![StockEvent::Opened { sku, location }]);
            }
            (None, _) => return Err(StockError::NotOpened),
            (Some(item), command) => (item, command),
        };
        let (item, command) = item;
        let (sku, location) = (item.sku.clone(), item.location);
        Ok(match command {
            StockCommand::Open { sku: other, location: elsewhere } => {
                if (other, elsewhere) != (sku, location) {
                    return Err(StockError::IdMismatch);
                }
                Vec::new()
            }
            StockCommand::Receive { quantity } => vec![StockEvent::Received { sku, location, quantity }],
            StockCommand::Restock { quantity } => vec![StockEvent::Restocked { sku, location, quantity }],
            StockCommand::Withdraw { quantity, reason } => {
                vec![StockEvent::Withdrawn { sku, location, quantity, reason }]
            }
            StockCommand::Adjust { delta: 0, .. } => Vec::new(),
            StockCommand::Adjust { delta, reason } => {
                vec![StockEvent::Adjusted { sku, location, delta, reason }]
            }
            StockCommand::SetPolicy { policy, safety_stock } => {
                if (policy, safety_stock) == (item.policy, item.safety_stock) {
                    return Ok(Vec::new());
                }
                vec![StockEvent::PolicySet { sku, location, policy, safety_stock }]
            }
            StockCommand::SetThreshold { threshold } if threshold == item.threshold => Vec::new(),
            StockCommand::SetThreshold { threshold } => vec![StockEvent::ThresholdSet { threshold }],
            StockCommand::ObserveLevel { available, on_hand } => item.observe(available, on_hand),
        })
    }

    fn evolve(state: Option<Self>, event: &StockEvent) -> Result<Self, EvolveError> {
        let Some(mut item) = state else {
            let StockEvent::Opened { sku, location } = event else { return Err(EvolveError::of(event)) };
            return Ok(Self {
                sku: sku.clone(),
                location: *location,
                policy: StockPolicy::Deny,
                safety_stock: 0,
                threshold: None,
                low: false,
                observed: None,
            });
        };
        match event {
            StockEvent::Opened { .. } => return Err(EvolveError::of(event)),
            StockEvent::Received { .. }
            | StockEvent::Restocked { .. }
            | StockEvent::Withdrawn { .. }
            | StockEvent::Adjusted { .. } => {}
            StockEvent::PolicySet { policy, safety_stock, .. } => {
                item.policy = *policy;
                item.safety_stock = *safety_stock;
            }
            StockEvent::ThresholdSet { threshold } => {
                item.threshold = *threshold;
                // Another threshold is another line to cross: the next observation decides.
                item.low = false;
                item.observed = None;
            }
            StockEvent::LevelChanged { available, on_hand, .. } => {
                item.observed = Some((*available, *on_hand));
                let above = item.threshold.is_none_or(|threshold| *available >= i64::from(threshold));
                if above {
                    item.low = false;
                }
            }
            StockEvent::LowStock { .. } => item.low = true,
        }
        Ok(item)
    }

    fn effects(_id: Id<marker::StockItem>, event: &StockEvent) -> Effects {
        match event {
            StockEvent::Received { sku, location, quantity }
            | StockEvent::Restocked { sku, location, quantity } => {
                Effects::none().pool(stock_pool(sku, *location), PoolOp::Supply(i64::from(quantity.get())))
            }
            StockEvent::Withdrawn { sku, location, quantity, .. } => {
                Effects::none().pool(stock_pool(sku, *location), PoolOp::Supply(-i64::from(quantity.get())))
            }
            StockEvent::Adjusted { sku, location, delta, .. } => {
                Effects::none().pool(stock_pool(sku, *location), PoolOp::Correct(i64::from(*delta)))
            }
            StockEvent::PolicySet { sku, location, policy, safety_stock } => {
                Effects::none().pool(stock_pool(sku, *location), PoolOp::Floor(policy.floor(*safety_stock)))
            }
            // A second stream under another id would give one pool two owners.
            StockEvent::Opened { sku, location } => {
                Effects::none().claim("stock-item", stock_pool(sku, *location).to_string())
            }
            StockEvent::ThresholdSet { .. }
            | StockEvent::LevelChanged { .. }
            | StockEvent::LowStock { .. } => Effects::none(),
        }
    }
}
