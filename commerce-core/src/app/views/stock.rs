//! The overview of stock: what is there, and what is low.

use std::sync::Arc;

use super::{Projection, ProjectionError};
use crate::inventory::view::{StockSummary, reserved_stock};
use crate::inventory::{Reservation, ReservationEvent, StockEvent, StockItem, stock_item_id};
use crate::kernel::aggregate::Aggregate;
use crate::kernel::codec::decode;
use crate::kernel::event::RecordedEvent;
use crate::port::view::{Document, FieldKind, FieldValue, ViewSchema};
use crate::value::id::{Id, StockItemId};

/// The stock of every SKU at every location, for staff.
///
/// Follows stock items that go by the id that [`stock_item_id`] gives, which is what the library opens.
///
/// | field | what |
/// |---|---|
/// | `sku`, `location` | what and where |
/// | `available` | units that a reservation made now would get |
/// | `on_hand` | units that are there |
/// | `low` | whether the available units are below the threshold |
#[derive(Debug, Clone, Copy, Default)]
pub struct StockOverview;

impl StockOverview {
    /// The field of the SKU.
    pub const SKU: &'static str = "sku";
    /// The field of the location.
    pub const LOCATION: &'static str = "location";
    /// The field of the available units.
    pub const AVAILABLE: &'static str = "available";
    /// The field of the units that are there.
    pub const ON_HAND: &'static str = "on_hand";
    /// The field that says whether it is low.
    pub const LOW: &'static str = "low";
}

fn item(event: &RecordedEvent) -> Result<StockItemId, ProjectionError> {
    Id::from_uuid(event.stream.id).map_err(|_| ProjectionError::stray(event))
}

impl Projection for StockOverview {
    const AGGREGATE: &'static str = StockItem::NAME;
    type Document = StockSummary;

    fn schema(&self) -> ViewSchema {
        ViewSchema::new("stock_overview", 1)
            .required(Self::SKU, FieldKind::Text)
            .required(Self::LOCATION, FieldKind::Text)
            .required(Self::AVAILABLE, FieldKind::Integer)
            .required(Self::ON_HAND, FieldKind::Integer)
            .required(Self::LOW, FieldKind::Flag)
    }

    fn concerns(&self, event: &RecordedEvent) -> Result<Vec<Arc<str>>, ProjectionError> {
        match event.stream.kind.as_ref() {
            StockItem::NAME => Ok(vec![event.stream.id.to_string().into()]),
            Reservation::NAME => {
                let decoded: ReservationEvent = decode(&event.event)?;
                let places = reserved_stock(&decoded);
                let ids = places.into_iter().map(|(sku, location)| stock_item_id(sku, location));
                Ok(ids.map(|id| id.to_string().into()).collect())
            }
            _ => Ok(Vec::new()),
        }
    }

    fn apply(
        &self,
        event: &RecordedEvent,
        _id: &str,
        known: Option<StockSummary>,
    ) -> Result<Option<StockSummary>, ProjectionError> {
        if event.stream.kind == StockItem::NAME {
            let decoded: StockEvent = decode(&event.event)?;
            let after = StockSummary::follow(known, item(event)?, &decoded);
            return after.map(Some).ok_or_else(|| ProjectionError::stray(event));
        }
        let Some(stock) = known else { return Ok(None) };
        let decoded: ReservationEvent = decode(&event.event)?;
        let id = Id::from_uuid(event.stream.id).map_err(|_| ProjectionError::stray(event))?;
        Ok(Some(stock.moved(Reservation::effects(id, &decoded))))
    }

    fn index(&self, stock: &StockSummary, blank: Document) -> Document {
        let level = stock.level();
        blank
            .with(Self::SKU, FieldValue::text(stock.sku.as_str()))
            .with(Self::LOCATION, FieldValue::text(stock.location.to_string()))
            .with(Self::AVAILABLE, FieldValue::Integer(level.available))
            .with(Self::ON_HAND, FieldValue::Integer(level.on_hand))
            .with(Self::LOW, FieldValue::Flag(stock.is_low()))
            .searched(stock.sku.as_str())
    }
}
