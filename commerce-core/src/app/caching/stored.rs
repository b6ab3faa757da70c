//! Values as bytes of a cache.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::value::time::Timestamp;

/// A value that was kept, or that there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored<T> {
    pub(super) value: Option<T>,
    /// From when on it is stale, where it may be given in spite of that.
    pub(super) stale_from: Option<Timestamp>,
}

const ABSENT: u8 = 0;
const VALUE: u8 = 1;
const VALUE_UNTIL: u8 = 2;

/// A byte says what there is; behind it the JSON of a value, before which its time may stand.
pub(super) fn encode<T: Serialize>(value: Option<&T>, stale_from: Option<Timestamp>) -> Option<Vec<u8>> {
    let Some(value) = value else { return Some(vec![ABSENT]) };
    let mut bytes = match stale_from {
        None => vec![VALUE],
        Some(time) => [&[VALUE_UNTIL][..], &time.as_micros().to_be_bytes()].concat(),
    };
    serde_json::to_writer(&mut bytes, value).ok()?;
    Some(bytes)
}

/// Nothing where another version of the program has written it.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<Stored<T>> {
    let (json, stale_from) = match bytes.split_first()? {
        (&ABSENT, []) => return Some(Stored { value: None, stale_from: None }),
        (&VALUE, json) => (json, None),
        (&VALUE_UNTIL, rest) => {
            let (time, json) = rest.split_first_chunk()?;
            (json, Some(Timestamp::from_micros(i64::from_be_bytes(*time)).ok()?))
        }
        _ => return None,
    };
    Some(Stored { value: Some(serde_json::from_slice(json).ok()?), stale_from })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again() {
        let time = Timestamp::from_micros(-7).unwrap();
        for (value, stale_from) in [(Some(5_u8), None), (Some(5), Some(time)), (None, None)] {
            let bytes = encode(value.as_ref(), stale_from).unwrap();
            assert_eq!(decode(&bytes), Some(Stored { value, stale_from }));
        }
        // That there is nothing is never stale: it is not kept for long.
        assert_eq!(encode::<u8>(None, Some(time)), encode::<u8>(None, None));
        let strange: [&[u8]; 7] = [b"", b"\x00x", b"\x01", b"\x01x", b"\x02\0\0", b"\x03", b"\xff5"];
        assert!(strange.iter().all(|bytes| decode::<u8>(bytes).is_none()));
    }
}
