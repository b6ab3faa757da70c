//! Which sold units a return undoes.

use std::collections::HashMap;

use super::record::ReturnPiece;
use crate::value::id::{CustomerId, OrderId, OrderLineId};
use crate::value::{Quantity, Sku};

/// Links returns to earlier sales of the same customer and SKU, the newest first.
///
/// For sources whose returns do not name what they undo. Fed in the order of events; pure, so that the same
/// history gives the same links.
#[derive(Debug, Clone, Default)]
pub struct ReturnMatcher {
    sold: HashMap<(CustomerId, Sku), Vec<Open>>,
}

/// Units of a sold line that have not come back.
#[derive(Debug, Clone)]
struct Open {
    order: OrderId,
    line: OrderLineId,
    left: Quantity,
}

impl ReturnMatcher {
    /// Units were sold.
    pub fn sold(
        &mut self,
        customer: CustomerId,
        sku: &Sku,
        order: OrderId,
        line: OrderLineId,
        left: Quantity,
    ) {
        self.sold.entry((customer, sku.clone())).or_default().push(Open { order, line, left });
    }

    /// Units came back: gives the sold units they are, or nothing where earlier sales do not have so many.
    pub fn returned(&mut self, customer: CustomerId, sku: &Sku, units: u64) -> Vec<ReturnPiece> {
        let Some(open) = self.sold.get_mut(&(customer, sku.clone())) else { return Vec::new() };
        let there: u64 = open.iter().map(|line| u64::from(line.left.get())).sum();
        if units == 0 || there < units {
            return Vec::new();
        }
        let (mut wanted, mut pieces) = (units, Vec::new());
        while let Some(Open { order, line, left }) = open.pop() {
            let part = u32::try_from(wanted).ok().and_then(|wanted| Quantity::new(wanted).ok());
            let quantity = part.map_or(left, |part| part.min(left));
            pieces.push(ReturnPiece { order, line, quantity });
            if let Ok(left) = left.checked_sub(quantity) {
                open.push(Open { order, line, left });
            }
            wanted = wanted.saturating_sub(u64::from(quantity.get()));
            if wanted == 0 {
                break;
            }
        }
        pieces
    }
}
