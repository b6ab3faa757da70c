//! A point in time, to the microsecond.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// Microseconds since 1970-01-01T00:00:00Z, between the years 1 and 9999.
///
/// Stores keep microseconds; a time is truncated to them when it is born, so that what is read back
/// equals what was written. Serialised as the integer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Timestamp(i64);

/// The time lies outside the years 1 to 9999, or the text is no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no time within the years 1 to 9999")]
#[non_exhaustive]
pub struct InvalidTimestamp;

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const UNIX_EPOCH: Self = Self(0);
    /// 0001-01-01T00:00:00Z.
    pub const MIN: Self = Self(-62_135_596_800_000_000);
    /// 9999-12-31T23:59:59.999999Z.
    pub const MAX: Self = Self(253_402_300_799_999_999);

    /// Takes microseconds since the epoch.
    ///
    /// # Errors
    ///
    /// [`InvalidTimestamp`] outside the years 1 to 9999.
    pub const fn from_micros(micros: i64) -> Result<Self, InvalidTimestamp> {
        if micros < Self::MIN.0 || micros > Self::MAX.0 { Err(InvalidTimestamp) } else { Ok(Self(micros)) }
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// The time `span` later, at most [`Self::MAX`].
    pub fn plus(self, span: Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros).min(Self::MAX.0))
    }

    /// The time `span` earlier, at least [`Self::MIN`].
    pub fn minus(self, span: Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(micros).max(Self::MIN.0))
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The same time for chrono.
    pub fn to_datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or(DateTime::UNIX_EPOCH)
    }
}

/// Reads RFC 3339 with any offset, truncated to the microsecond.
impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| InvalidTimestamp)?;
        Self::try_from(time.with_timezone(&Utc))
    }
}

impl TryFrom<i64> for Timestamp {
    type Error = InvalidTimestamp;

    fn try_from(micros: i64) -> Result<Self, InvalidTimestamp> {
        Self::from_micros(micros)
    }
}

impl From<Timestamp> for i64 {
    fn from(time: Timestamp) -> Self {
        time.0
    }
}

/// Truncates to the microsecond, towards the past.
impl TryFrom<DateTime<Utc>> for Timestamp {
    type Error = InvalidTimestamp;

    fn try_from(time: DateTime<Utc>) -> Result<Self, InvalidTimestamp> {
        Self::from_micros(time.timestamp_micros())
    }
}

/// RFC 3339 with six decimals, for example `2011-01-04T10:00:00.000000Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_datetime().to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_read() {
        for micros in [0, 1, -1, 1_294_135_200_000_001, Timestamp::MIN.0, Timestamp::MAX.0] {
            assert_eq!(Timestamp(micros).to_string().parse(), Ok(Timestamp(micros)));
        }
        assert_eq!("1970-01-01T02:00:00+02:00".parse(), Ok(Timestamp::UNIX_EPOCH));
        assert_eq!("yesterday".parse::<Timestamp>(), Err(InvalidTimestamp));
    }

    #[test]
    fn the_range_is_guarded_and_arithmetic_saturates() {
        assert_eq!(Timestamp::from_micros(i64::MAX), Err(InvalidTimestamp));
        assert_eq!(Timestamp::MAX.plus(Duration::from_secs(1)), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.minus(Duration::MAX), Timestamp::MIN);
        assert_eq!(Timestamp::UNIX_EPOCH.since(Timestamp::MAX), Duration::ZERO);
        assert!(serde_json::from_str::<Timestamp>("9223372036854775807").is_err());
    }

    #[test]
    fn it_prints_as_rfc_3339() {
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999999Z");
        assert_eq!(Timestamp::MIN.to_string(), "0001-01-01T00:00:00.000000Z");
    }

    #[test]
    fn nanoseconds_are_truncated_at_birth() {
        let time = DateTime::from_timestamp(1, 123_456_789).unwrap();
        assert_eq!(Timestamp::try_from(time).unwrap().as_micros(), 1_123_456);
    }
}
