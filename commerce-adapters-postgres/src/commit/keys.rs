//! How structured keys stand in one text column, in the form and order of their `Display`.

use commerce_core::kernel::error::CommitError;
use commerce_core::kernel::mark::MarkKey;
use commerce_core::kernel::stream::StreamId;
use commerce_core::kernel::timer::TimerKey;
use commerce_core::kernel::unique::Key;
use uuid::Uuid;

/// Length of a UUID as text.
const UUID: usize = 36;

/// The text of a unique key; its scope must not hold what separates the two.
pub(crate) fn key_name(key: &Key) -> Result<String, CommitError> {
    scoped(&key.scope, &key.key)
}

/// The text of a mark.
pub(crate) fn mark_name(mark: &MarkKey) -> Result<String, CommitError> {
    scoped(&mark.scope, &mark.id)
}

fn scoped(scope: &str, key: &str) -> Result<String, CommitError> {
    if scope.contains('/') {
        return Err(CommitError::Malformed("a scope with a slash"));
    }
    clean(key)?;
    clean(scope)?;
    Ok(format!("{scope}/{key}"))
}

/// The text of a timer.
pub(crate) fn timer_name(timer: &TimerKey) -> Result<String, CommitError> {
    if timer.stream.kind.contains(':') {
        return Err(CommitError::Malformed("a kind with a colon"));
    }
    clean(&timer.stream.kind)?;
    clean(&timer.name)?;
    Ok(timer.to_string())
}

/// PostgreSQL stores every character but this one.
pub(crate) fn clean(text: &str) -> Result<(), CommitError> {
    if text.contains('\0') { Err(CommitError::Malformed("a text with a NUL")) } else { Ok(()) }
}

/// The unique key of a text.
pub(crate) fn parse_key(name: &str) -> Option<Key> {
    let (scope, key) = name.split_once('/')?;
    Some(Key::new(scope.to_owned(), key))
}

/// The mark of a text.
pub(crate) fn parse_mark(name: &str) -> Option<MarkKey> {
    let (scope, id) = name.split_once('/')?;
    Some(MarkKey::new(scope.to_owned(), id))
}

/// The timer of a text.
pub(crate) fn parse_timer(name: &str) -> Option<TimerKey> {
    let (kind, rest) = name.split_once(':')?;
    let (id, label) = rest.split_at_checked(UUID)?;
    let stream = StreamId::new(kind.to_owned(), Uuid::try_parse(id).ok()?);
    Some(TimerKey::new(stream, label.strip_prefix('#')?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_back() {
        let timer = TimerKey::new(StreamId::new("order", Uuid::from_u128(7)), "a#b:c");
        assert_eq!(parse_timer(&timer_name(&timer).unwrap()), Some(timer));
        let key = Key::new("sku", "a/b");
        assert_eq!(parse_key(&key_name(&key).unwrap()), Some(key));
        let mark = MarkKey::new("command", "");
        assert_eq!(parse_mark(&mark_name(&mark).unwrap()), Some(mark));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        assert!(key_name(&Key::new("a/b", "c")).is_err());
        assert!(timer_name(&TimerKey::new(StreamId::new("a:b", Uuid::nil()), "c")).is_err());
        assert!(key_name(&Key::new("a", "b\0")).is_err());
    }
}
