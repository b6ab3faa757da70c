//! Answers of scripts as values.

use std::sync::Arc;

use commerce_core::kernel::event::{NewEvent, RecordedEvent};
use commerce_core::kernel::mark::{Fingerprint, Handled};
use commerce_core::kernel::personal::PersonalValue;
use commerce_core::kernel::pool::PoolLevel;
use commerce_core::kernel::stream::{Position, StreamId, Version};
use commerce_core::value::id::SubjectId;
use redis::Value;

use crate::plan::Head;

/// A list; nothing for anything else.
pub(crate) fn list(value: &Value) -> Option<&[Value]> {
    match value {
        Value::Array(items) => Some(items),
        _ => None,
    }
}

/// Bytes.
pub(crate) fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.as_bytes()),
        _ => None,
    }
}

/// A text.
pub(crate) fn text(value: &Value) -> Option<&str> {
    std::str::from_utf8(bytes(value)?).ok()
}

/// A whole number, as one or as a text.
pub(crate) fn number<N: std::str::FromStr + TryFrom<i64>>(value: &Value) -> Option<N> {
    match value {
        Value::Int(number) => N::try_from(*number).ok(),
        value => text(value)?.parse().ok(),
    }
}

/// `order:0198…`.
pub(crate) fn stream(text: &str) -> Option<StreamId> {
    let (kind, id) = text.rsplit_once(':')?;
    Some(StreamId::new(kind.to_owned(), id.parse().ok()?))
}

/// What stands behind a key: its owner and, where it is personal, whose it is.
pub(crate) fn owner(stored: &str) -> Option<(StreamId, Option<SubjectId>)> {
    let (owner, subject) = stored.split_once('\0')?;
    let subject = if subject.is_empty() { None } else { Some(subject.parse().ok()?) };
    Some((stream(owner)?, subject))
}

/// `scope/key` and the length of the scope.
pub(crate) fn name(stored: &str) -> Option<(String, &str)> {
    let (text, length) = stored.rsplit_once('\0')?;
    let (scope, key) = text.split_at_checked(length.parse().ok()?)?;
    Some((scope.to_owned(), key.strip_prefix('/')?))
}

/// Four numbers.
pub(crate) fn level(text: &str) -> Option<PoolLevel> {
    let mut numbers = text.split(' ').map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some(PoolLevel { available: next()?, held: next()?, allocated: next()?, floor: next()? })
}

/// The number of an event as a place in the log.
pub(crate) fn position(number: u64) -> Position {
    Position::from_parts(0, number)
}

/// How many events stand at or before a position.
pub(crate) fn before(position: Position) -> u64 {
    let (high, low) = position.parts();
    // What no log reaches still has to be a number for a script.
    if high > 0 { 1 << 52 } else { low.min(1 << 52) }
}

/// What a mark remembers: version and hash of the fingerprint, the place in the log, the result.
pub(crate) fn handled(value: &Value) -> Option<Handled> {
    let stored = bytes(value)?;
    let mut parts = stored.splitn(4, |byte| *byte == b' ');
    let mut next = || parts.next();
    let number = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
    let version = number(next()?)?.parse().ok()?;
    let hash = number(next()?)?.parse().ok()?;
    let at: u64 = number(next()?)?.parse().ok()?;
    let result = next()?.into();
    Some(Handled { fingerprint: Fingerprint { version, hash }, result, position: position(at) })
}

/// An event of the log.
pub(crate) fn recorded(value: &Value) -> Option<Arc<RecordedEvent>> {
    let [at, of, version, head, data, values] = list(value)? else { return None };
    let Head { id, name, schema, at: time, metadata, personal } =
        serde_json::from_slice(bytes(head)?).ok()?;
    let values = list(values)?;
    let personal = personal.into_iter().enumerate().map(|(place, (field, subject))| PersonalValue {
        field,
        subject,
        value: values.get(place).and_then(bytes).map(Arc::from),
    });
    Some(Arc::new(RecordedEvent {
        position: position(number(at)?),
        stream: stream(text(of)?)?,
        version: Version::new(number(version)?),
        event: NewEvent {
            id,
            name,
            schema,
            at: time,
            metadata,
            data: bytes(data)?.into(),
            personal: personal.collect(),
        },
    }))
}
