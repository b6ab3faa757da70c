//! Two carts become one.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::cart::{Cart, MAX_CODES};
use super::error::CartError;
use super::event::CartEvent;
use super::lines::{CartLine, LineKey, MAX_LINES};
use crate::value::id::{CartId, CartLineId};
use crate::value::{Currency, PromotionCode, Quantity};

/// What becomes of quantities where both carts have a line of the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MergeStrategy {
    /// Both together, at most as many as a line takes.
    #[default]
    Sum,
    /// The larger of the two.
    Larger,
    /// What the cart had that takes over.
    KeepTarget,
}

impl MergeStrategy {
    fn merge(self, target: Quantity, source: Quantity) -> Quantity {
        match self {
            Self::Sum => target.checked_add(source).unwrap_or(Quantity::MAX),
            Self::Larger => target.max(source),
            Self::KeepTarget => target,
        }
    }
}

impl Cart {
    /// Takes over lines and codes; the cart must be open for changes.
    pub(super) fn absorb(
        &self,
        source: CartId,
        currency: Currency,
        lines: Vec<CartLine>,
        codes: Vec<PromotionCode>,
        strategy: MergeStrategy,
    ) -> Result<Vec<CartEvent>, CartError> {
        if self.absorbed.contains(&source) {
            return Ok(Vec::new());
        }
        self.same_currency(currency)?;
        let mut events = self.absorb_lines(source, lines, strategy)?;
        let new: BTreeSet<_> = codes.into_iter().filter(|code| !self.codes.contains(code)).collect();
        if self.codes.len().saturating_add(new.len()) > MAX_CODES {
            return Err(CartError::TooManyCodes { max: MAX_CODES });
        }
        events.extend(new.into_iter().map(|code| CartEvent::CodeApplied { code }));
        events.push(CartEvent::Absorbed { source });
        Ok(events)
    }

    fn absorb_lines(
        &self,
        source: CartId,
        lines: Vec<CartLine>,
        strategy: MergeStrategy,
    ) -> Result<Vec<CartEvent>, CartError> {
        let mut wanted: BTreeMap<LineKey, CartLine> = BTreeMap::new();
        for line in lines {
            if let Some(set) = &line.price_override {
                self.same_currency(set.price.currency())?;
            }
            let key = line.key();
            if let Some(known) = wanted.get_mut(&key) {
                known.quantity = MergeStrategy::Sum.merge(known.quantity, line.quantity);
            } else {
                wanted.insert(key, line);
            }
        }
        let (mut events, mut added) = (Vec::new(), BTreeSet::new());
        for (key, line) in wanted {
            if let Some(known) = self.lines.find(&key) {
                let quantity = strategy.merge(known.quantity, line.quantity);
                if quantity != known.quantity {
                    events.push(CartEvent::LineChanged { line: known.id, quantity });
                }
                continue;
            }
            // Ids of another cart say nothing here; derived ones are the same when it is decided again.
            let id = CartLineId::derived(source.uuid(), line.id.uuid().as_bytes());
            if self.lines.get(id).is_some() || !added.insert(id) {
                return Err(CartError::LineIdInUse { line: id });
            }
            events.push(CartEvent::LineAdded { line: CartLine { id, ..line } });
        }
        if self.lines.len().saturating_add(added.len()) > MAX_LINES {
            return Err(CartError::TooManyLines { max: MAX_LINES });
        }
        Ok(events)
    }
}
