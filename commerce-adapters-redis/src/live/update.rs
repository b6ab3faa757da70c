//! What is shown of an event.

use std::sync::Arc;

use commerce_core::kernel::event::EventId;
use commerce_core::port::publisher::Outgoing;
use serde::{Deserialize, Serialize};

use super::{LiveChannel, LiveId};

/// News of one product or one order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LiveUpdate {
    /// Its number: the last-event id of whoever has seen it.
    pub id: LiveId,
    /// Where it was pushed.
    pub channel: LiveChannel,
    /// What has happened, under its canonical name: `StockLevelChanged`.
    pub name: Arc<str>,
    /// The event. An event that a relay hands over twice is two updates with one event.
    pub event: EventId,
    /// Whose event it is: `order:0198…`.
    pub of: Arc<str>,
    /// The event's place in the stream of that: it grows, so that older news can be told from newer.
    pub version: u64,
    /// All of it as a JSON object, as a browser may get it: `name`, `event`, `of`, `version`, `at`, and those that it
    /// has of `order`, `number`, `status`, `sku`, `location`, `available`, `on_hand`, `threshold` and `lines`.
    pub body: Arc<str>,
}

/// What whoever follows is told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LiveEvent {
    /// Something has happened.
    Update(LiveUpdate),
    /// Updates behind this one are no longer kept: what is shown has to be read anew. Those that are still kept
    /// follow.
    Missed {
        /// The last one before the gap.
        after: LiveId,
    },
}

/// The channel of an event, and the status that it gives to an order.
fn place(name: &str) -> Option<(LiveChannel, Option<&'static str>)> {
    let order = |status| Some((LiveChannel::Orders, Some(status)));
    match name {
        "StockLevelChanged"
        | "LowStockAlert"
        | "InventoryReserved"
        | "InventoryReleased"
        | "InventoryCommitted"
        | "InventoryCommitmentReleased"
        | "InventoryConsumed" => Some((LiveChannel::Stock, None)),
        "OrderPlaced" => order("placed"),
        "OrderConfirmed" => order("confirmed"),
        "OrderFailed" => order("failed"),
        "OrderCancelled" => order("cancelled"),
        "OrderCompleted" => order("completed"),
        "OrderBlocked" => order("blocked"),
        "OrderUnblocked" => order("unblocked"),
        "ShipmentDispatched" => order("dispatched"),
        "ShipmentDelivered" => order("delivered"),
        _ => None,
    }
}

/// As much of a canonical envelope as is looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'e> {
    event_id: EventId,
    #[serde(borrow)]
    occurred_on: &'e str,
    #[serde(borrow)]
    event_type: &'e str,
    aggregate_id: &'e str,
    aggregate_type: &'e str,
    version: u64,
    data: Option<Data>,
}

/// As much of a payload as is shown. Whatever a person could have written, such as a reason, is not in it, nor is
/// who the buyer is.
#[derive(Deserialize, Serialize, Default)]
struct Data {
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<String>,
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sku: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_hand: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<i64>,
    #[serde(alias = "units", skip_serializing_if = "Option::is_none")]
    lines: Option<Vec<Line>>,
}

#[derive(Deserialize, Serialize)]
struct Line {
    sku: String,
    location: String,
    quantity: u32,
}

#[derive(Serialize)]
struct Body<'e> {
    name: &'e str,
    event: String,
    of: &'e str,
    version: u64,
    at: &'e str,
    #[serde(flatten)]
    data: Data,
}

/// What a message says to whoever follows: nothing where it is no canonical envelope, or of something else.
pub(super) fn of_message(message: &Outgoing) -> Option<(LiveChannel, String)> {
    if !["inventory-events", "order-events", "shipping-events"].contains(&&*message.topic) {
        return None;
    }
    let envelope: Envelope<'_> = serde_json::from_slice(&message.body).ok()?;
    let (channel, status) = place(envelope.event_type)?;
    let mut data = envelope.data.unwrap_or_default();
    data.status = status;
    if envelope.aggregate_type == "order" {
        data.order = Some(envelope.aggregate_id.to_owned());
    }
    let body = Body {
        name: envelope.event_type,
        event: envelope.event_id.to_string(),
        of: &format!("{}:{}", envelope.aggregate_type, envelope.aggregate_id),
        version: envelope.version,
        at: envelope.occurred_on,
        data,
    };
    Some((channel, serde_json::to_string(&body).ok()?))
}

/// Reads what [`of_message`] wrote.
pub(super) fn read(id: LiveId, channel: LiveChannel, body: &str) -> Option<LiveUpdate> {
    #[derive(Deserialize)]
    struct Known {
        name: Arc<str>,
        event: EventId,
        of: Arc<str>,
        version: u64,
    }
    let Known { name, event, of, version } = serde_json::from_str(body).ok()?;
    Some(LiveUpdate { id, channel, name, event, of, version, body: body.into() })
}
