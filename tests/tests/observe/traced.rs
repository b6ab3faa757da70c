//! A subscriber that writes everything down.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Metadata, Subscriber};

/// What a record is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Span,
    Event,
}

/// A span or an event.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) kind: Kind,
    pub(crate) name: &'static str,
    pub(crate) target: &'static str,
    pub(crate) fields: BTreeMap<&'static str, String>,
    /// The place of the span that it is in.
    parent: Option<usize>,
}

#[derive(Debug, Default)]
struct Inner {
    records: Vec<Record>,
    /// The spans that are entered, by their place.
    entered: Vec<usize>,
}

/// Everything, in the order in which it comes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Book(Arc<Mutex<Inner>>);

struct Fields<'r>(&'r mut BTreeMap<&'static str, String>);

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

fn place(id: &Id) -> usize {
    usize::try_from(id.into_u64()).unwrap() - 1
}

impl Book {
    pub(crate) fn records(&self) -> Vec<Record> {
        self.0.lock().unwrap().records.clone()
    }

    /// The spans around a record, the innermost first.
    pub(crate) fn path(&self, record: &Record) -> Vec<Record> {
        let inner = self.0.lock().unwrap();
        let (mut path, mut next) = (Vec::new(), record.parent);
        while let Some(span) = next.and_then(|place| inner.records.get(place)) {
            path.push(span.clone());
            next = span.parent;
        }
        path
    }

    fn write(
        &self,
        kind: Kind,
        metadata: &'static Metadata<'static>,
        record: impl FnOnce(&mut Fields<'_>),
    ) -> usize {
        let mut fields = BTreeMap::new();
        record(&mut Fields(&mut fields));
        let mut inner = self.0.lock().unwrap();
        let parent = inner.entered.last().copied();
        inner.records.push(Record { kind, name: metadata.name(), target: metadata.target(), fields, parent });
        inner.records.len()
    }
}

impl Subscriber for Book {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let number = self.write(Kind::Span, span.metadata(), |fields| span.record(fields));
        Id::from_u64(number as u64)
    }

    fn record(&self, span: &Id, values: &tracing::span::Record<'_>) {
        let mut inner = self.0.lock().unwrap();
        if let Some(record) = inner.records.get_mut(place(span)) {
            values.record(&mut Fields(&mut record.fields));
        }
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.write(Kind::Event, event.metadata(), |fields| event.record(fields));
    }

    fn enter(&self, span: &Id) {
        self.0.lock().unwrap().entered.push(place(span));
    }

    fn exit(&self, span: &Id) {
        let mut inner = self.0.lock().unwrap();
        assert_eq!(inner.entered.pop(), Some(place(span)), "spans are left in reverse");
    }
}
