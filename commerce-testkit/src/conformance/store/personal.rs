//! Personal values: they come back with their event until their subject is erased.

use std::sync::Arc;

use commerce_core::kernel::commit::{Append, Commit, Load};
use commerce_core::kernel::event::{NewEvent, RecordedEvent};
use commerce_core::kernel::personal::PersonalValue;
use commerce_core::kernel::stream::{Position, StreamId};
use commerce_core::port::store::LogQuery;

use crate::build::{Draft, append, event, personal_event, stream, subject};
use crate::conformance::Failure;
use crate::conformance::fixture::{Fixture, one, query};
use crate::conformance::outcome::{Outcome, equal, holds};

/// An append of these events to a new stream.
pub(crate) fn creates(stream: &StreamId, events: Vec<NewEvent>) -> Append {
    Append { events, ..append(stream, 0, 0) }
}

/// The events of a stream by all ways of reading them, which must agree.
pub(crate) async fn read(f: &Fixture, stream: &StreamId) -> Result<Vec<Arc<RecordedEvent>>, Failure> {
    let by_stream = f.stream(stream).await?;
    let mut by_log = f.store().read_all(LogQuery::after(Position::START, 1000)).await?.events;
    by_log.retain(|event| event.stream == *stream);
    let by_load =
        one(f.load(Load { streams: vec![query(stream, 0, None)], ..Load::default() }).await?.streams)?;
    equal("personal values by the log and by the stream", values(&by_log), values(&by_stream))?;
    equal("personal values by a load and by the stream", values(&by_load.events), values(&by_stream))?;
    Ok(by_stream)
}

/// The personal values of events, in order.
fn values(events: &[Arc<RecordedEvent>]) -> Vec<PersonalValue> {
    events.iter().flat_map(|event| event.event.personal.clone()).collect()
}

/// Which of them still have content.
pub(crate) fn kept(events: &[Arc<RecordedEvent>]) -> Vec<bool> {
    values(events).iter().map(|value| value.value.is_some()).collect()
}

pub(crate) async fn personal_values_come_back_with_their_event(f: &Fixture) -> Outcome {
    let (alice, bob) = (subject("alice"), subject("bob"));
    let value = |field, subject, text: &str| PersonalValue {
        field,
        subject,
        value: Some(Arc::from(text.as_bytes())),
    };
    let personal =
        vec![value(0, alice, "\"Alice\""), value(1, bob, "{\"street\":\"Nyhavn 1\"}"), value(2, alice, "1")];
    let events = vec![event(), NewEvent { personal, ..event() }, personal_event(bob, "Bob")];
    f.commit(Commit::default().appending(creates(&stream("s"), events.clone()))).await?;
    let back = read(f, &stream("s")).await?;
    let same = back.iter().map(|event| &event.event).eq(&events);
    holds("every personal value comes back, in order, with its event", same)
}

pub(crate) async fn personal_values_of_an_erased_subject_come_without_content(f: &Fixture) -> Outcome {
    let (alice, s) = (subject("alice"), stream("s"));
    let events = vec![personal_event(alice, "Alice"), personal_event(alice, "Alice Again")];
    f.commit(Commit::default().appending(creates(&s, events))).await?;
    f.commit(Commit::default().erases(alice)).await?;
    let back = read(f, &s).await?;
    let fields: Vec<_> = values(&back).iter().map(|value| (value.field, value.subject)).collect();
    equal("fields and subjects stay", fields, vec![(0, alice), (0, alice)])?;
    equal("contents that are left", kept(&back), vec![false, false])
}
