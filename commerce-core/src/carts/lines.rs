//! The lines of a cart, found by id and by key without a scan.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::value::id::{CartLineId, ProductId, VariantId};
use crate::value::{Code, Currency, Price, Quantity, Reason};

/// The most lines of one cart.
pub const MAX_LINES: usize = 10_000;

/// A price that the staff set for one line instead of the catalogue's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceOverride {
    /// The price of one unit.
    pub price: Price,
    /// Why.
    pub reason: Reason,
}

/// A line: what and how many. What it costs is the catalogue's business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartLine {
    /// Its id.
    pub id: CartLineId,
    /// The product.
    pub product: ProductId,
    /// The variant of the product.
    pub variant: VariantId,
    /// Units.
    pub quantity: Quantity,
    /// A hash of what the buyer has made of it, for example an engraving.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customisation: Option<Code>,
    /// The price that the staff set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_override: Option<PriceOverride>,
}

impl CartLine {
    /// What makes it one line with another.
    pub fn key(&self) -> LineKey {
        let set = self.price_override.as_ref();
        LineKey {
            variant: self.variant,
            customisation: self.customisation.clone(),
            price_override: set.map(|set| (set.price.micros(), set.price.currency(), set.reason.clone())),
        }
    }
}

/// What makes two lines one: variant, customisation and the price that the staff set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineKey {
    variant: VariantId,
    customisation: Option<Code>,
    price_override: Option<(i64, Currency, Reason)>,
}

impl Ord for LineKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        #[cfg(test)]
        visits::count();
        (self.variant, &self.customisation, &self.price_override).cmp(&(
            other.variant,
            &other.customisation,
            &other.price_override,
        ))
    }
}

impl PartialOrd for LineKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The lines of a cart, in the order of their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<CartLine>", into = "Vec<CartLine>")]
pub struct Lines {
    by_id: BTreeMap<CartLineId, CartLine>,
    by_key: BTreeMap<LineKey, CartLineId>,
}

impl Lines {
    /// How many lines.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The line with this id.
    pub fn get(&self, line: CartLineId) -> Option<&CartLine> {
        self.by_id.get(&line)
    }

    /// The line with this key.
    pub fn find(&self, key: &LineKey) -> Option<&CartLine> {
        self.by_key.get(key).and_then(|line| self.by_id.get(line))
    }

    /// All lines, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &CartLine> {
        self.by_id.values().inspect(|_| {
            #[cfg(test)]
            visits::count();
        })
    }

    /// Puts a line in; `None` where its id or key is taken.
    pub(super) fn insert(&mut self, line: CartLine) -> Option<()> {
        let key = line.key();
        if self.by_id.contains_key(&line.id) || self.by_key.contains_key(&key) {
            return None;
        }
        self.by_key.insert(key, line.id);
        self.by_id.insert(line.id, line);
        Some(())
    }

    /// Changes a line's quantity; `None` where there is no such line.
    pub(super) fn set_quantity(&mut self, line: CartLineId, quantity: Quantity) -> Option<()> {
        self.by_id.get_mut(&line).map(|line| line.quantity = quantity)
    }

    /// Takes a line out; `None` where there is no such line.
    pub(super) fn remove(&mut self, line: CartLineId) -> Option<()> {
        let line = self.by_id.remove(&line)?;
        self.by_key.remove(&line.key()).map(drop)
    }
}

impl From<Vec<CartLine>> for Lines {
    fn from(lines: Vec<CartLine>) -> Self {
        Self {
            by_key: lines.iter().map(|line| (line.key(), line.id)).collect(),
            by_id: lines.into_iter().map(|line| (line.id, line)).collect(),
        }
    }
}

impl From<Lines> for Vec<CartLine> {
    fn from(lines: Lines) -> Self {
        lines.by_id.into_values().collect()
    }
}

/// Counts how many lines are looked at.
#[cfg(test)]
pub(super) mod visits {
    use std::cell::Cell;

    thread_local!(static VISITS: Cell<u64> = const { Cell::new(0) });

    pub(in crate::carts) fn count() {
        VISITS.set(VISITS.get() + 1);
    }

    pub(in crate::carts) fn during<R>(work: impl FnOnce() -> R) -> (R, u64) {
        let before = VISITS.get();
        let result = work();
        (result, VISITS.get() - before)
    }
}
