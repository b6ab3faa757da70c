//! Goods that came and goods that left, counted from deliveries and parcels and not from pools.

use std::collections::BTreeMap;

use commerce_core::inventory::{Reservation, StockEvent, StockItem, stock_pool};
use commerce_core::kernel::aggregate::Aggregate;
use commerce_core::kernel::codec::decode;
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::kernel::pool::PoolKey;
use commerce_core::shipping::{Shipment, Status};

use super::books::Books;

/// Units by pool.
type Units = BTreeMap<PoolKey, i64>;

fn add(units: &mut Units, pool: PoolKey, more: i64) {
    let sum = units.entry(pool).or_default();
    *sum = sum.saturating_add(more);
}

/// Notes what came otherwise than by a sale, and what was lost.
pub(super) fn note(arrived: &mut Units, recorded: &RecordedEvent) {
    if recorded.stream.kind != StockItem::NAME {
        return;
    }
    let Ok(event) = decode::<StockEvent>(&recorded.event) else { return };
    let (sku, location, units) = match &event {
        StockEvent::Received { sku, location, quantity }
        | StockEvent::Restocked { sku, location, quantity } => (sku, *location, i64::from(quantity.get())),
        StockEvent::Withdrawn { sku, location, quantity, .. } => (sku, *location, -i64::from(quantity.get())),
        StockEvent::Adjusted { sku, location, delta, .. } => (sku, *location, i64::from(*delta)),
        _ => return,
    };
    add(arrived, stock_pool(sku, location), units);
}

/// What left in parcels.
fn sent(books: &Books) -> Units {
    let mut sent = Units::new();
    for (_, parcel) in books.all::<Shipment>() {
        let here = [Status::Pending, Status::ReadyToShip, Status::OnHold, Status::Cancelled];
        if here.contains(&parcel.status()) {
            continue;
        }
        for line in parcel.lines().iter().filter(|line| line.reservation_line.is_some()) {
            let pool = stock_pool(&line.sku, parcel.location());
            add(&mut sent, pool, i64::from(line.quantity.get()));
        }
    }
    sent
}

/// A pool whose units are not those of the goods that came and left.
pub(super) fn fault(books: &Books) -> Option<String> {
    let sent = sent(books);
    let (mut promised, mut consumed) = (Units::new(), Units::new());
    for (_, reservation) in books.all::<Reservation>() {
        for line in reservation.lines() {
            let pool = stock_pool(&line.reserved.sku, line.reserved.location);
            add(&mut promised, pool.clone(), i64::from(line.open()));
            add(&mut consumed, pool, i64::from(line.consumed));
        }
    }
    let of = |units: &Units, pool: &PoolKey| units.get(pool).copied().unwrap_or(0);
    books.arrived.keys().chain(consumed.keys()).find_map(|pool| {
        let (came, left, level) = (of(&books.arrived, pool), of(&sent, pool), books.level(pool));
        if of(&consumed, pool) != left {
            return Some(format!(
                "{pool}: {} left their reservations, {left} the house",
                of(&consumed, pool)
            ));
        }
        if of(&promised, pool) != level.allocated {
            return Some(format!("{pool}: {} are promised, not {}", of(&promised, pool), level.allocated));
        }
        let there = came.saturating_sub(left);
        (level.physical() != there)
            .then(|| format!("{pool}: {came} came, {left} left, and {} are there", level.physical()))
    })
}
