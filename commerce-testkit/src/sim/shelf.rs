//! What the shop sells, and which orders the people know of.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use commerce_core::app::checkout::CheckoutReceipt;
use commerce_core::value::id::{OrderId, ProductId};

/// The goods of every simulated shop, with their first prices and units.
pub(super) const GOODS: [(&str, &str, u32); 4] =
    [("MUG", "12.50", 40), ("POSTER", "8.00", 8), ("LAMP", "49.90", 25), ("CARD", "1.10", 80)];
/// The codes, what they take off and how often.
pub(super) const CODES: [(&str, &str, Option<u32>); 2] =
    [("TENTH", "10", Some(12)), ("GIFT", "100", Some(4))];

/// An order that somebody has heard of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sold {
    /// Who bought.
    pub buyer: u64,
    /// What they were told.
    pub receipt: CheckoutReceipt,
}

/// What the shop sells and has sold, as everybody can see it.
#[derive(Debug, Default)]
pub struct Shelf(Mutex<Content>);

#[derive(Debug, Default)]
struct Content {
    goods: BTreeMap<&'static str, ProductId>,
    sold: Vec<Sold>,
}

impl Shelf {
    /// The goods on sale, by SKU.
    pub fn goods(&self) -> Vec<&'static str> {
        self.lock().goods.keys().copied().collect()
    }

    /// The product that is sold under a SKU.
    pub fn product(&self, sku: &str) -> Option<ProductId> {
        self.lock().goods.get(sku).copied()
    }

    pub(super) fn put(&self, sku: &'static str, product: ProductId) {
        self.lock().goods.insert(sku, product);
    }

    /// Orders that were confirmed to their buyers.
    pub fn sold(&self) -> Vec<Sold> {
        self.lock().sold.clone()
    }

    /// The order that the dice fall on.
    pub fn one(&self, throw: u64) -> Option<Sold> {
        let sold = &self.lock().sold;
        let index = throw.checked_rem(sold.len() as u64)?;
        sold.get(usize::try_from(index).ok()?).cloned()
    }

    /// An order was confirmed to its buyer.
    pub fn confirm(&self, buyer: u64, receipt: CheckoutReceipt) {
        let sold = &mut self.lock().sold;
        if !sold.iter().any(|known| known.receipt.order == receipt.order) {
            sold.push(Sold { buyer, receipt });
        }
    }

    /// Whether an order was confirmed to its buyer.
    pub fn has(&self, order: OrderId) -> bool {
        self.lock().sold.iter().any(|known| known.receipt.order == order)
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
