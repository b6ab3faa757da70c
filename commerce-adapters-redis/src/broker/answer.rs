//! Entries and letters as values.

use std::sync::Arc;
use std::time::Duration;

use commerce_core::port::publisher::Outgoing;
use commerce_core::port::subscriber::{BuriedMessage, Incoming, Receipt};
use commerce_core::value::Reason;
use commerce_core::value::time::Timestamp;
use redis::Value;

use super::receipt::Delivery;
use crate::answer::{bytes, list, number, text};

/// What a member was handed out.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) messages: Vec<Incoming>,
    /// Entries that no publisher made.
    pub(super) strange: Vec<Receipt>,
    /// The last number of every source; where nothing was handed out.
    pub(super) ends: Vec<String>,
    /// When a postponed entry is due; where nothing was handed out.
    pub(super) next: Option<Duration>,
}

/// What `receive.lua` has answered to a member that reads these topics.
pub(super) fn received(answer: &Value, topics: &[Arc<str>]) -> Option<Received> {
    let [entries, ends, next] = list(answer)? else { return None };
    let ends = list(ends)?.iter().map(|end| text(end).map(str::to_owned)).collect::<Option<_>>()?;
    let mut received = Received {
        messages: Vec::new(),
        strange: Vec::new(),
        ends,
        next: text(next)?.parse().ok().map(Duration::from_micros),
    };
    for entry in list(entries)? {
        let [place, id, deliveries, fields] = list(entry)? else { return None };
        let (place, deliveries): (u32, u32) = (number(place)?, number(deliveries)?);
        // Scripts count from one, and the first source is the group's own.
        let topic = usize::try_from(place).ok()?.checked_sub(2).and_then(|place| topics.get(place)).cloned();
        let delivery = Delivery { entry: text(id)?.to_owned(), deliveries, topic: topic.clone() };
        let receipt = delivery.write();
        match message(list(fields)?, topic) {
            Some(message) => received.messages.push(Incoming { receipt, message, deliveries }),
            None => received.strange.push(receipt),
        }
    }
    Some(received)
}

/// The message of an entry; an entry of a group's own stream tells its topic.
fn message(fields: &[Value], topic: Option<Arc<str>>) -> Option<Outgoing> {
    let field = |name: &str| {
        let pairs = fields.chunks_exact(2);
        pairs
            .filter_map(|pair| Some((bytes(pair.first()?)?, pair.get(1)?)))
            .find_map(|(known, value)| if known == name.as_bytes() { Some(value) } else { None })
    };
    Some(Outgoing {
        id: text(field("id")?)?.parse().ok()?,
        topic: match topic {
            Some(topic) => topic,
            None => text(field("topic")?)?.into(),
        },
        key: text(field("key")?)?.into(),
        ordering: text(field("ordering")?)?.into(),
        body: bytes(field("body")?)?.into(),
    })
}

/// What `letters.lua` has answered.
pub(super) fn letters(answer: &Value) -> Option<Vec<BuriedMessage>> {
    let letter = |value: &Value| {
        let [topic, id, key, ordering, body, error, attempts, first, last] = list(value)? else {
            return None;
        };
        let time = |value| Timestamp::from_micros(number(value)?).ok();
        Some(BuriedMessage {
            message: Outgoing {
                id: text(id)?.parse().ok()?,
                topic: text(topic)?.into(),
                key: text(key)?.into(),
                ordering: text(ordering)?.into(),
                body: bytes(body)?.into(),
            },
            error: Reason::lossy(text(error)?),
            attempts: number(attempts)?,
            first: time(first)?,
            last: time(last)?,
        })
    };
    list(answer)?.iter().map(letter).collect()
}
