//! Every event that was ever stored keeps its effects: unique keys, pools and timers can be rebuilt from
//! logs of any age (kernel rules, streams 3).
//!
//! `golden/effects.jsonl` holds one stored event of every type and schema version, and what it does. To add
//! one, run this with `UPDATE_GOLDEN=1`; lines that are there are never changed, and an event of an older
//! schema is lifted by its upcasters when it is read.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a failing step is a failing test

use std::collections::BTreeMap;
use std::fs;

use commerce_core::kernel::aggregate::Aggregate;
use commerce_core::kernel::codec::{encode, event_type};
use commerce_core::kernel::effects::{Effects, TimerEffect};
use commerce_core::kernel::event::{DomainEvent, EventId, Metadata, NewEvent, RecordedEvent};
use commerce_core::kernel::personal::PersonalValue;
use commerce_core::kernel::rebuild::Registry;
use commerce_core::kernel::stream::{Position, StreamId, Version};
use commerce_core::value::actor::Actor;
use commerce_core::value::id::SubjectId;
use commerce_core::value::time::Timestamp;
use commerce_testkit::strategy::history::{Storied, history};
use commerce_tests::for_every_aggregate;
use commerce_tests::house::root;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// The stream that every recorded event is of.
const STREAM: Uuid = Uuid::from_u128(0x5eed);
/// How many histories are made at most to meet every event of an aggregate.
const HISTORIES: usize = 3000;

/// One line of the record.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line {
    name: String,
    schema: u16,
    kind: String,
    data: Value,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    personal: Vec<(u16, SubjectId, Value)>,
    effects: Vec<String>,
}

impl Line {
    fn recorded(&self) -> RecordedEvent {
        let bytes = |value: &Value| serde_json::to_vec(value).unwrap().into();
        let personal = self.personal.iter().map(|(field, subject, value)| PersonalValue {
            field: *field,
            subject: *subject,
            value: Some(bytes(value)),
        });
        let event = NewEvent {
            id: EventId::derived(Uuid::nil(), b"golden"),
            name: self.name.clone().into(),
            schema: self.schema,
            at: Timestamp::UNIX_EPOCH,
            metadata: Metadata { correlation: Uuid::nil(), causation: None, actor: Actor::System },
            data: bytes(&self.data),
            personal: personal.collect(),
        };
        let (stream, version) = (StreamId::new(self.kind.clone(), STREAM), Version::new(1));
        RecordedEvent { position: Position::START, stream, version, event }
    }

    fn of<A: Aggregate>(event: &A::Event) -> Self {
        let encoded = encode(event).unwrap();
        let parsed = |bytes: &[u8]| serde_json::from_slice(bytes).unwrap();
        let personal = encoded.personal.iter().map(|value| {
            (value.field, value.subject, value.value.as_ref().map_or(Value::Null, |value| parsed(value)))
        });
        let mut line = Self {
            name: event.name().to_owned(),
            schema: event_type::<A::Event>(event.name()).unwrap().schema,
            kind: A::NAME.to_owned(),
            data: parsed(&encoded.data),
            personal: personal.collect(),
            effects: Vec::new(),
        };
        line.effects = words(&effects(&line));
        line
    }
}

fn effects(line: &Line) -> Effects {
    let effects = Registry::standard().effects(&line.recorded());
    effects.unwrap_or_else(|| panic!("{} is not registered", line.kind)).unwrap()
}

/// Effects in words, one each.
fn words(effects: &Effects) -> Vec<String> {
    let claims = effects.claims.iter().map(|claim| {
        let whose = claim.subject.map_or_else(String::new, |subject| format!(" of {subject}"));
        format!("claim {}{whose}", claim.key)
    });
    let releases = effects.releases.iter().map(|key| format!("release {key}"));
    let moves = effects.moves.iter().map(|step| format!("pool {} {:?}", step.pool, step.op));
    let timers = effects.timers.iter().map(|timer| match timer {
        TimerEffect::Set { name, due, payload } => {
            format!("timer {name} at {} with {} bytes", due.as_micros(), payload.len())
        }
        TimerEffect::Cancel { name } => format!("cancel {name}"),
    });
    claims.chain(releases).chain(moves).chain(timers).collect()
}

/// The event of each type with the most effects, and of those the shortest.
fn samples<A: Storied>(found: &mut BTreeMap<(String, u16), Line>) {
    let (mut runner, strategy) = (TestRunner::deterministic(), history::<A>());
    let weight = |line: &Line| (std::cmp::Reverse(line.effects.len().min(3)), line.data.to_string().len());
    for number in 0..HISTORIES {
        let all =
            A::Event::TYPES.iter().all(|known| found.contains_key(&(known.name.to_owned(), known.schema)));
        if all && number > 100 {
            break;
        }
        for event in strategy.new_tree(&mut runner).unwrap().current().events() {
            let line = Line::of::<A>(event);
            let key = (line.name.clone(), line.schema);
            if found.get(&key).is_none_or(|known| weight(&line) < weight(known)) {
                found.insert(key, line);
            }
        }
    }
}

fn all_samples() -> BTreeMap<(String, u16), Line> {
    let mut found = BTreeMap::new();
    for_every_aggregate!(samples, &mut found);
    found
}

fn path() -> std::path::PathBuf {
    root().join("tests/golden/effects.jsonl")
}

fn record() -> Vec<Line> {
    let text = fs::read_to_string(path()).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_stored_event_keeps_its_effects() {
    let mut lines = record();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let known: Vec<_> = lines.iter().map(|line| (line.name.clone(), line.schema)).collect();
        lines.extend(all_samples().into_iter().filter(|(key, _)| !known.contains(key)).map(|(_, line)| line));
        lines.sort_by(|a, b| (&a.name, a.schema).cmp(&(&b.name, b.schema)));
        let text: String = lines.iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect();
        fs::write(path(), text).unwrap();
    }
    for line in &lines {
        assert_eq!(words(&effects(line)), line.effects, "{} v{} does something else", line.name, line.schema);
    }
    let shipped = fs::read_to_string(root().join("tests/golden/events.txt")).unwrap();
    let recorded: Vec<_> = lines.iter().map(|line| format!("{} v{}", line.name, line.schema)).collect();
    let missing: Vec<_> = shipped
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter(|line| !recorded.iter().any(|known| known == line))
        .collect();
    assert!(missing.is_empty(), "run with UPDATE_GOLDEN=1 to record {missing:?}");
}

/// The record shows effects of every kind, or it would prove little.
#[test]
fn the_record_shows_every_kind_of_effect() {
    let all: Vec<String> = record().into_iter().flat_map(|line| line.effects).collect();
    let kinds = [
        "claim ",
        "release ",
        "timer ",
        "cancel ",
        "Hold(",
        "HoldAbove",
        "Release(",
        "Allocate(",
        "Consume(",
        "Return(",
        "Supply(",
        "Correct(",
        "Floor(",
    ];
    for kind in kinds {
        assert!(all.iter().any(|effect| effect.contains(kind)), "no event with `{kind}`");
    }
}

/// A change of what an event does is found.
#[test]
fn another_effect_is_noticed() {
    let mut line = record().into_iter().find(|line| line.name == "InventoryReserved").unwrap();
    let before = words(&effects(&line));
    line.data["lines"][0]["quantity"] = Value::from(77);
    assert_ne!(words(&effects(&line)), before);
}
