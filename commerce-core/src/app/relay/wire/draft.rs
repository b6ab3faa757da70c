//! From what a document says of an event to messages, in the document's envelope.

use uuid::Uuid;

use super::WireError;
use super::at_hand::{AtHand, Need};
use super::canonical::{routing_key, topic};
use super::json::{Json, Object, Spelling};
use crate::catalog::Product;
use crate::checkout::order_of;
use crate::kernel::event::{EventId, RecordedEvent};
use crate::notifications::Notification;
use crate::orders::Order;
use crate::payments::Payment;
use crate::port::publisher::Outgoing;
use crate::value::Sku;
use crate::value::id::{Id, OrderId, ProductId};

/// An event and what is at hand beside it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'s> {
    pub(super) recorded: &'s RecordedEvent,
    pub(super) at_hand: &'s AtHand,
}

impl<'s> Source<'s> {
    /// The id of the event's aggregate, as the text of payloads.
    pub(super) const fn stream(self) -> Uuid {
        self.recorded.stream.id
    }

    /// The id of the event's aggregate.
    fn id<T>(self) -> Result<Id<T>, WireError> {
        Id::from_uuid(self.recorded.stream.id).map_err(|_| WireError::NoId)
    }

    /// The order that the event is of.
    pub(super) fn order(self) -> Result<&'s Order, WireError> {
        self.order_by(self.id()?)
    }

    /// The order with this id.
    pub(super) fn order_by(self, id: OrderId) -> Result<&'s Order, WireError> {
        self.at_hand.order.as_deref().ok_or(WireError::Missing(Need::Order(id)))
    }

    /// The payment that the event is of.
    pub(super) fn payment(self) -> Result<&'s Payment, WireError> {
        let id = self.id()?;
        self.at_hand.payment.as_deref().ok_or(WireError::Missing(Need::Payment(id)))
    }

    /// What the payment pays: it is known of its order, too.
    pub(super) fn paid_order(self) -> Result<OrderId, WireError> {
        let id = self.id()?;
        let order = self.at_hand.order.as_deref().filter(|order| order.payments().contains_key(&id));
        match order.and_then(|order| order.content().checkout) {
            Some(checkout) => Ok(order_of(checkout)),
            None => self.payment().map(Payment::order),
        }
    }

    /// The product that the event is of.
    pub(super) fn product(self) -> Result<&'s Product, WireError> {
        let id = self.id()?;
        self.at_hand.product.as_deref().ok_or(WireError::Missing(Need::Product(id)))
    }

    /// The notification that the event is of.
    pub(super) fn notification(self) -> Result<&'s Notification, WireError> {
        let id = self.id()?;
        self.at_hand.notification.as_deref().ok_or(WireError::Missing(Need::Notification(id)))
    }

    /// The products that are sold under these SKUs, by place; `None` where none is any more.
    pub(super) fn products<'k>(
        self,
        skus: impl Iterator<Item = &'k Sku> + Clone,
    ) -> Result<Vec<Option<ProductId>>, WireError> {
        let known = &self.at_hand.products;
        let mut missing: Vec<Sku> = skus.clone().filter(|sku| !known.contains_key(*sku)).cloned().collect();
        missing.sort();
        missing.dedup();
        if missing.is_empty() {
            Ok(skus.map(|sku| known.get(sku).copied().flatten()).collect())
        } else {
            Err(WireError::Missing(Need::Products(missing)))
        }
    }

    /// The product that is sold under a SKU.
    pub(super) fn product_of(self, sku: &Sku) -> Result<Option<ProductId>, WireError> {
        Ok(self.products(std::iter::once(sku))?.into_iter().flatten().next())
    }

    /// Drafts in the envelope of their document.
    pub(super) fn send(self, drafts: Vec<Draft>, envelope: fn(&Sealing<'_>) -> Json) -> Vec<Outgoing> {
        let ordering = self.recorded.stream.to_string();
        let seal = |(number, draft): (usize, Draft)| {
            let id = self.number(draft.name, number);
            let body = envelope(&Sealing { id, recorded: self.recorded, draft: &draft });
            Outgoing {
                id,
                topic: draft.topic.into(),
                key: draft.key.as_str().into(),
                ordering: ordering.as_str().into(),
                body: body.into_bytes().into(),
            }
        };
        drafts.into_iter().enumerate().map(seal).collect()
    }

    /// The id of the message with this number: the event's for the first, one that follows from it for others.
    fn number(self, name: &str, number: usize) -> EventId {
        let event = self.recorded.event.id;
        if number == 0 {
            event
        } else {
            EventId::derived(event.uuid(), format!("{name}/{number}").as_bytes())
        }
    }
}

/// A message before it is put into an envelope.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    /// As the document calls the event.
    pub(super) name: &'static str,
    pub(super) topic: &'static str,
    pub(super) key: String,
    /// Of whom the document takes it to be.
    pub(super) aggregate: Uuid,
    pub(super) data: Object,
}

impl Draft {
    /// A message in the topic of its context, routed by its name without the suffix `Event`.
    pub(super) fn new(name: &'static str, source: Source<'_>, data: Object) -> Self {
        Self {
            name,
            topic: topic(&source.recorded.stream.kind),
            key: routing_key(name.strip_suffix("Event").unwrap_or(name)),
            aggregate: source.recorded.stream.id,
            data,
        }
    }

    /// In another topic.
    pub(super) const fn on(mut self, topic: &'static str) -> Self {
        self.topic = topic;
        self
    }

    /// Routed otherwise.
    pub(super) fn routed(mut self, key: &str) -> Self {
        key.clone_into(&mut self.key);
        self
    }

    /// Of another aggregate.
    pub(super) fn of<T>(mut self, aggregate: Id<T>) -> Self {
        self.aggregate = aggregate.uuid();
        self
    }
}

/// What an envelope is made of.
#[derive(Debug)]
pub(super) struct Sealing<'s> {
    pub(super) id: EventId,
    pub(super) recorded: &'s RecordedEvent,
    pub(super) draft: &'s Draft,
}

/// No envelope: the payload alone.
pub(super) fn bare(sealing: &Sealing<'_>) -> Json {
    sealing.draft.data.clone().into()
}

/// The library's envelope, for documents that have none of their own.
pub(super) fn full(sealing: &Sealing<'_>) -> Json {
    let Sealing { id, recorded, draft } = sealing;
    let event = &recorded.event;
    let mut envelope = Object::new(Spelling::Camel)
        .put("event_id", *id)
        .put("occurred_on", event.at)
        .put("event_type", draft.name)
        .put("aggregate_id", draft.aggregate)
        .put("aggregate_type", recorded.stream.kind.as_ref())
        .put("version", recorded.version.get())
        .put("schema_version", event.schema)
        .put("correlation_id", event.metadata.correlation);
    if let Some(cause) = event.metadata.causation {
        envelope = envelope.put("causation_id", cause);
    }
    // An actor consists of ids and always is JSON.
    let actor = serde_json::to_value(event.metadata.actor).unwrap_or_default();
    envelope.put("actor", Json::value(&actor)).put("data", draft.data.clone()).into()
}
