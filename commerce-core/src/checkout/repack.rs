//! What an edit does to stock and parcels: units that are not wanted any more leave the parcels that were
//! not handed over; units that are wanted in addition are promised apart and leave in parcels of their own.

use std::collections::BTreeMap;

use crate::inventory::ReservedLine;
use crate::kernel::aggregate::Instance;
use crate::orders::OrderLine;
use crate::shipping::{Shipment, ShipmentLine, Status};
use crate::value::Quantity;
use crate::value::id::{LocationId, OrderEditId, OrderLineId, ReservationId, ShipmentId};

/// The reservation of what an edit adds.
pub fn reservation_of_edit(edit: OrderEditId) -> ReservationId {
    ReservationId::derived(edit.uuid(), b"reservation")
}

/// The parcel of what an edit adds, from one location.
pub fn shipment_of_edit(edit: OrderEditId, location: LocationId) -> ShipmentId {
    ShipmentId::derived(edit.uuid(), format!("shipment@{location}").as_bytes())
}

/// Units that leave one parcel of an order again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpacked {
    /// By its place among the parcels.
    pub parcel: usize,
    /// What stays in it; nothing where the parcel is not sent at all.
    pub left: Vec<ShipmentLine>,
    /// The lines of its reservation that promise less, and how much less.
    pub freed: Vec<(u32, Quantity)>,
}

/// Takes units out of parcels that were not handed over, the last parcel first. Units of a parcel that was
/// given up are still promised to the order, so they count as well. What is in no parcel, such as a
/// service, needs nothing taken out.
pub fn unpack(cuts: &BTreeMap<OrderLineId, u32>, parcels: &[Instance<Shipment>]) -> Vec<Unpacked> {
    let mut cuts = cuts.clone();
    let mut unpacked = Vec::new();
    let here = [Status::Pending, Status::ReadyToShip, Status::OnHold];
    let known: Vec<_> =
        parcels.iter().enumerate().filter_map(|(at, parcel)| Some((at, parcel.state.as_ref()?))).collect();
    let sent = known.iter().rev().filter(|(_, parcel)| here.contains(&parcel.status()));
    let given_up = known.iter().rev().filter(|(_, parcel)| parcel.status() == Status::Cancelled);
    for (at, parcel) in sent.chain(given_up) {
        let (mut left, mut freed) = (Vec::new(), Vec::new());
        for line in parcel.lines() {
            let cut = cuts.get_mut(&line.order_line);
            let units = cut.as_ref().map_or(0, |cut| line.quantity.get().min(**cut));
            if let Some(cut) = cut {
                *cut = cut.saturating_sub(units);
            }
            if let (Some(number), Ok(units)) = (line.reservation_line, Quantity::new(units)) {
                freed.push((number, units));
            }
            if let Ok(quantity) = Quantity::new(line.quantity.get().saturating_sub(units)) {
                left.push(ShipmentLine { quantity, ..line.clone() });
            }
        }
        if left.as_slice() != parcel.lines() {
            unpacked.push(Unpacked { parcel: *at, left, freed });
        }
    }
    unpacked
}

/// What leaves from where of units that are wanted in addition. `promised` are the lines of the new
/// reservation, in the order of the tracked lines among `wanted`.
pub fn pack(
    wanted: &[OrderLine],
    promised: &[ReservedLine],
    ships_from: Option<LocationId>,
) -> BTreeMap<LocationId, Vec<ShipmentLine>> {
    let mut parcels: BTreeMap<LocationId, Vec<ShipmentLine>> = BTreeMap::new();
    let mut promised = (0_u32..).zip(promised);
    for line in wanted {
        let whole = |quantity, reservation_line| ShipmentLine {
            order_line: line.id,
            reservation_line,
            sku: line.sku.clone(),
            quantity,
        };
        if !line.tracked {
            if let Some(location) = ships_from.filter(|_| line.shippable) {
                parcels.entry(location).or_default().push(whole(line.quantity, None));
            }
            continue;
        }
        let mut left = line.quantity.get();
        while left > 0 {
            let Some((number, held)) = promised.next() else { break };
            left = left.saturating_sub(held.quantity.get());
            if line.shippable {
                let parcel = parcels.entry(held.location).or_default();
                parcel.push(whole(held.quantity, Some(number)));
            }
        }
    }
    parcels
}
