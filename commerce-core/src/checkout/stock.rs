//! From where the units of an order are taken.

use std::collections::HashMap;
use std::hash::BuildHasher;

use crate::inventory::{ReservedLine, stock_pool};
use crate::kernel::error::Shortage;
use crate::kernel::pool::{PoolKey, PoolLevel};
use crate::orders::OrderLine;
use crate::value::Quantity;
use crate::value::id::LocationId;

/// Takes everything from one location: what the first attempt does, the store being the judge.
pub fn from_one(lines: &[OrderLine], location: LocationId) -> Vec<ReservedLine> {
    let tracked = lines.iter().filter(|line| line.tracked);
    tracked.map(|line| ReservedLine { sku: line.sku.clone(), location, quantity: line.quantity }).collect()
}

/// The pools that can serve these lines.
pub fn pools(lines: &[OrderLine], locations: &[LocationId]) -> Vec<PoolKey> {
    let tracked = lines.iter().filter(|line| line.tracked);
    let mut pools: Vec<_> =
        tracked.flat_map(|line| locations.iter().map(|location| stock_pool(&line.sku, *location))).collect();
    pools.sort();
    pools.dedup();
    pools
}

/// Takes units where they are: a line whole from the first location that can serve it, else in pieces, most
/// preferred location first.
///
/// # Errors
///
/// The shortages, where all locations together have too little.
pub fn from_many<S: BuildHasher>(
    lines: &[OrderLine],
    locations: &[LocationId],
    levels: &HashMap<PoolKey, PoolLevel, S>,
) -> Result<Vec<ReservedLine>, Vec<Shortage>> {
    let mut free: HashMap<PoolKey, i64> =
        levels.iter().map(|(pool, level)| (pool.clone(), level.holdable())).collect();
    let (mut planned, mut short) = (Vec::new(), Vec::new());
    for line in lines.iter().filter(|line| line.tracked) {
        let wanted = i64::from(line.quantity.get());
        let pool_at = |location: &LocationId| stock_pool(&line.sku, *location);
        let whole = locations
            .iter()
            .find(|location| free.get(&pool_at(location)).is_some_and(|free| *free >= wanted));
        let order: Vec<LocationId> = whole.map_or_else(|| locations.to_vec(), |location| vec![*location]);
        let mut left = wanted;
        for location in order {
            let Some(units) = free.get_mut(&pool_at(&location)) else { continue };
            let taken = left.min((*units).max(0));
            let Some(quantity) = u32::try_from(taken).ok().and_then(|units| Quantity::new(units).ok()) else {
                continue;
            };
            *units -= taken;
            left -= taken;
            planned.push(ReservedLine { sku: line.sku.clone(), location, quantity });
        }
        if let Some(first) = locations.first().filter(|_| left > 0) {
            short.push(Shortage { pool: pool_at(first), wanted, available: wanted - left });
        }
    }
    if short.is_empty() { Ok(planned) } else { Err(short) }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::value::id::Id;
    use crate::value::{Name, Sku};

    fn line(sku: &str, units: u32) -> OrderLine {
        let id = Uuid::from_u128(1);
        OrderLine {
            id: Id::derived(id, sku.as_bytes()),
            product: Id::derived(id, b"p"),
            variant: Id::derived(id, b"v"),
            sku: Sku::new(sku).unwrap(),
            name: Name::new(sku).unwrap(),
            variant_name: None,
            seller: None,
            quantity: Quantity::new(units).unwrap(),
            tracked: true,
            shippable: true,
            override_reason: None,
        }
    }

    fn at(number: u128) -> LocationId {
        Id::from_uuid(Uuid::from_u128(number)).unwrap()
    }

    fn level(available: i64) -> PoolLevel {
        PoolLevel { available, ..PoolLevel::default() }
    }

    #[test]
    fn a_line_is_served_whole_where_one_location_can() {
        let lines = [line("A", 4)];
        let levels = HashMap::from([
            (stock_pool(&lines[0].sku, at(1)), level(3)),
            (stock_pool(&lines[0].sku, at(2)), level(9)),
        ]);
        let planned = from_many(&lines, &[at(1), at(2)], &levels).unwrap();
        assert_eq!(planned.iter().map(|line| line.location).collect::<Vec<_>>(), [at(2)]);
    }

    #[test]
    fn else_in_pieces_and_never_more_than_there_is() {
        let lines = [line("A", 4), line("A", 2)];
        let levels = HashMap::from([
            (stock_pool(&lines[0].sku, at(1)), level(3)),
            (stock_pool(&lines[0].sku, at(2)), level(2)),
        ]);
        let short = from_many(&lines, &[at(1), at(2)], &levels).unwrap_err();
        assert_eq!((short[0].wanted, short[0].available), (2, 1));
        let planned = from_many(&lines[..1], &[at(1), at(2)], &levels).unwrap();
        let units: Vec<_> = planned.iter().map(|line| line.quantity.get()).collect();
        assert_eq!(units, [3, 1]);
    }
}
