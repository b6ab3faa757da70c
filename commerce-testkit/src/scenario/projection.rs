//! Given what has happened, then these documents.

use std::collections::BTreeMap;
use std::sync::Arc;

use commerce_core::app::views::Projection;
use commerce_core::kernel::aggregate::{Aggregate, stream_of};
use commerce_core::kernel::codec::event_type;
use commerce_core::kernel::event::{DomainEvent, EventId, Metadata, NewEvent, RecordedEvent};
use commerce_core::kernel::stream::{Label, Position, Version};
use commerce_core::port::view::{Document, FieldValue, Selection};
use commerce_core::value::actor::Actor;
use commerce_core::value::id::Id;
use commerce_core::value::time::Timestamp;
use uuid::Uuid;

use super::{SideBySide, written};
use crate::fake::START;

/// Starts a scenario of a view without documents.
///
/// ```
/// # use commerce_core::app::views::StockOverview;
/// # use commerce_core::inventory::{StockEvent, StockItem, stock_item_id};
/// # use commerce_core::value::id::LocationId;
/// # use commerce_core::value::{Quantity, Sku};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use commerce_testkit::scenario::given_view;
///
/// let (sku, location) = (Sku::new("MUG")?, LocationId::derived(uuid::Uuid::nil(), b"main"));
/// let item = stock_item_id(&sku, location);
/// let received = StockEvent::Received { sku: sku.clone(), location, quantity: Quantity::new(5)? };
/// given_view(StockOverview)
///     .when::<StockItem>(item, [StockEvent::Opened { sku, location }, received])
///     .then(&item.to_string(), |stock| assert_eq!(stock.level().on_hand, 5))
///     .then_field(&item.to_string(), "low", false)
///     .then_none("another");
/// # Ok(()) }
/// ```
pub const fn given_view<P: Projection>(projection: P) -> GivenView<P> {
    GivenView { projection, documents: BTreeMap::new(), versions: BTreeMap::new(), position: 0, now: START }
}

/// A view as far as it was filled.
#[derive(Debug, Clone)]
pub struct GivenView<P: Projection> {
    projection: P,
    documents: BTreeMap<Arc<str>, P::Document>,
    versions: BTreeMap<Uuid, u64>,
    position: u64,
    now: Timestamp,
}

impl<P: Projection> GivenView<P> {
    /// The time of the events that come; [`START`] unless it is set.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    /// When these events of an aggregate come, written and read as a store does.
    ///
    /// # Panics
    ///
    /// Where the projection refuses one of them, or an event cannot be written and read back.
    #[track_caller]
    #[must_use = "say what should come of it"]
    pub fn when<A: Aggregate>(mut self, id: Id<A::Root>, events: impl IntoIterator<Item = A::Event>) -> Self {
        for event in events {
            let recorded = self.record::<A>(id, &event);
            self.follow(&recorded);
        }
        self
    }

    /// When everything comes that a store has recorded, in its order.
    ///
    /// # Panics
    ///
    /// Where the projection refuses an event.
    #[track_caller]
    #[must_use = "say what should come of it"]
    pub fn when_recorded<'e>(mut self, events: impl IntoIterator<Item = &'e Arc<RecordedEvent>>) -> Self {
        for recorded in events {
            self.follow(recorded);
        }
        self
    }

    /// Then there is a document that passes these assertions.
    ///
    /// # Panics
    ///
    /// Where there is no such document.
    #[track_caller]
    pub fn then(self, id: &str, assertions: impl FnOnce(&P::Document)) -> Self {
        let Some(document) = self.documents.get(id) else { self.missing(id) };
        assertions(document);
        self
    }

    /// Then a document is found by this value.
    ///
    /// # Panics
    ///
    /// Where there is no such document, or it has another value or none in the field.
    #[track_caller]
    pub fn then_field(self, id: &str, field: &'static str, value: impl Into<FieldValue>) -> Self {
        let (entry, value) = (self.entry(id), value.into());
        let actual = entry.fields.get(field);
        if actual != Some(&value) {
            let actual = actual.map_or_else(|| "nothing".to_owned(), |actual| format!("{actual:?}"));
            let texts = (format!("{value:?}"), actual);
            panic!("{field} of {id}\n{}", SideBySide(&texts.0, &texts.1));
        }
        self
    }

    /// Then exactly these documents are selected.
    ///
    /// # Panics
    ///
    /// Where others are.
    #[track_caller]
    pub fn then_selects(self, selection: &Selection, ids: &[&str]) -> Self {
        let selected: Vec<&str> =
            self.documents.keys().map(|id| &**id).filter(|id| selection.selects(&self.entry(id))).collect();
        let shown = SideBySide(&ids.join("\n"), &selected.join("\n")).to_string();
        assert!(selected == ids, "{selection:?} selects\n{shown}");
        self
    }

    /// Then there is no such document.
    ///
    /// # Panics
    ///
    /// Where there is one.
    #[track_caller]
    pub fn then_none(self, id: &str) -> Self {
        if self.documents.contains_key(id) {
            let shown = self.shown(id);
            panic!("there is a document {id}\n{}", SideBySide("no document", &shown));
        }
        self
    }

    fn record<A: Aggregate>(&mut self, id: Id<A::Root>, event: &A::Event) -> RecordedEvent {
        let encoded = written(event);
        let version = self.versions.entry(id.uuid()).or_default();
        *version = version.saturating_add(1);
        self.position = self.position.saturating_add(1);
        RecordedEvent {
            stream: stream_of::<A>(id),
            version: Version::new(*version),
            position: Position::from_parts(0, self.position),
            event: NewEvent {
                id: EventId::derived(id.uuid(), &self.position.to_be_bytes()),
                name: Label::Borrowed(event.name()),
                schema: event_type::<A::Event>(event.name()).map_or(1, |known| known.schema),
                at: self.now,
                metadata: Metadata { correlation: Uuid::nil(), causation: None, actor: Actor::System },
                data: encoded.data,
                personal: encoded.personal,
            },
        }
    }

    #[track_caller]
    fn follow(&mut self, recorded: &RecordedEvent) {
        let concerned = self.projection.concerns(recorded);
        for id in concerned.unwrap_or_else(|error| panic!("when {} comes: {error}", recorded.event.name)) {
            let known = self.documents.remove(&id);
            match self.projection.apply(recorded, &id, known) {
                Ok(Some(document)) => drop(self.documents.insert(id, document)),
                Ok(None) => {}
                Err(error) => panic!("when {} comes: {error}", recorded.event.name),
            }
        }
    }

    /// A document as it is stored; its fields have to be those of the schema.
    #[track_caller]
    fn entry(&self, id: &str) -> Document {
        let Some(document) = self.documents.get(id) else { self.missing(id) };
        let body = serde_json::to_vec(document).unwrap_or_else(|error| panic!("{error}"));
        let entry = self.projection.index(document, Document::new(id, body));
        self.projection.schema().accepts(&entry).unwrap_or_else(|error| panic!("{id}: {error}"));
        entry
    }

    fn shown(&self, id: &str) -> String {
        let document = self.documents.get(id);
        document.and_then(|document| serde_json::to_string_pretty(document).ok()).unwrap_or_default()
    }

    #[track_caller]
    fn missing(&self, id: &str) -> ! {
        let there: Vec<&str> = self.documents.keys().map(|id| &**id).collect();
        panic!("there is no document {id}\n{}", SideBySide(id, &there.join("\n")));
    }
}
