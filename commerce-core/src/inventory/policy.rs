//! Names of pools, and when a SKU may be promised without being there.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kernel::pool::PoolKey;
use crate::value::Sku;
use crate::value::id::{LocationId, StockItemId};
use crate::value::time::Timestamp;

/// The namespace of ids derived from a SKU and a location.
const STOCK_ITEMS: Uuid = Uuid::from_u128(0x2d51_4f80_6d1c_5c8e_a1f0_84d2_6f1b_0b01);

/// The pool of a SKU at a location.
pub fn stock_pool(sku: &Sku, location: LocationId) -> PoolKey {
    PoolKey::new(format!("stock:{}@{location}", sku.as_str()))
}

/// The stock item of a SKU at a location: derived, so that there is one.
pub fn stock_item_id(sku: &Sku, location: LocationId) -> StockItemId {
    StockItemId::derived(STOCK_ITEMS, format!("{}@{location}", sku.as_str()).as_bytes())
}

/// Whether units may be promised that are not there. The default refuses: backorder is opt-in per SKU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StockPolicy {
    /// Only what is there, less the safety stock.
    #[default]
    Deny,
    /// Up to this many units beyond what is there.
    AllowBackorder {
        /// Units.
        limit: u32,
    },
    /// Like a backorder, before the goods first arrive.
    PreOrder {
        /// Units.
        limit: u32,
        /// When the goods are expected.
        available_from: Timestamp,
    },
}

impl StockPolicy {
    /// How many units may be promised beyond what is there.
    pub const fn backorder_limit(self) -> u32 {
        match self {
            Self::Deny => 0,
            Self::AllowBackorder { limit } | Self::PreOrder { limit, .. } => limit,
        }
    }

    /// The pool's floor: safety stock − backorder limit.
    pub fn floor(self, safety_stock: u32) -> i64 {
        i64::from(safety_stock) - i64::from(self.backorder_limit())
    }
}
