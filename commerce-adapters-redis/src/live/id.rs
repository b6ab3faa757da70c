//! Numbers of updates.

use std::fmt;
use std::str::FromStr;

/// The number of an update: the last-event id of whoever follows.
///
/// Grows from update to update through all channels of a shop. As a text it is `1294135200000-0`, which a browser
/// sends back as `Last-Event-ID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LiveId {
    millis: u64,
    number: u64,
}

/// A text is not the number of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a last-event id is two whole numbers with a dash between them")]
pub struct InvalidLiveId;

impl LiveId {
    /// Before every update: whoever follows from here gets all that is kept, or hears that some is gone.
    pub const START: Self = Self { millis: 0, number: 0 };
}

impl fmt::Display for LiveId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.millis, self.number)
    }
}

impl FromStr for LiveId {
    type Err = InvalidLiveId;

    fn from_str(text: &str) -> Result<Self, InvalidLiveId> {
        let digits = |text: &str| {
            let fine = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            if fine { text.parse().ok() } else { None }
        };
        let (millis, number) = text.split_once('-').ok_or(InvalidLiveId)?;
        let (millis, number) = (digits(millis).ok_or(InvalidLiveId)?, digits(number).ok_or(InvalidLiveId)?);
        Ok(Self { millis, number })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_grow() {
        let ids = ["0-0", "0-1", "9-10", "10-9", "10-10"].map(|text| text.parse::<LiveId>().unwrap());
        assert!(ids.is_sorted_by(|one, other| one < other));
        assert_eq!((ids[0], ids[3].to_string()), (LiveId::START, "10-9".to_owned()));
        for wrong in ["", "-", "1", "1-", "-1", "+1-1", "1-1-1", "1-x", "99999999999999999999-0", " 1-1"] {
            assert_eq!(wrong.parse::<LiveId>(), Err(InvalidLiveId), "{wrong}");
        }
    }
}
