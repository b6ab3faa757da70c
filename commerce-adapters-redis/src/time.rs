//! Times as texts that sort as they follow one another: a double does not hold every microsecond.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use commerce_core::port::clock::Clock;
use commerce_core::value::time::Timestamp;

/// By whose clock timers and leases are judged.
#[derive(Clone)]
pub(crate) enum Time {
    /// The server's.
    Server,
    /// The host's; all processes that share the shop share the clock.
    Host(Arc<dyn Clock>),
}

impl Time {
    /// The time to send along, and the end of a span that begins now; nothing where it is the server's.
    pub(crate) fn now_and_end(&self, span: Duration) -> (String, String) {
        match self {
            Self::Server => (String::new(), String::new()),
            Self::Host(clock) => {
                let now = clock.now();
                (sortable(now), sortable(now.plus(span)))
            }
        }
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Self::Server) { "Server" } else { "Host" })
    }
}

/// `1` and the microseconds since 1970, or `0` and those since the earliest time that 64 bits hold.
pub(crate) fn sortable(time: Timestamp) -> String {
    let micros = time.as_micros();
    match u64::try_from(micros) {
        Ok(since) => format!("1{since:019}"),
        Err(_) => format!("0{:019}", micros.wrapping_sub(i64::MIN)),
    }
}

/// Reads what [`sortable`] wrote.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let digits: i64 = text.get(1..)?.parse().ok()?;
    let micros = if text.starts_with('1') { digits } else { i64::MIN.checked_add(digits)? };
    Timestamp::from_micros(micros).ok()
}

/// A span in microseconds, as much of it as a script can add.
pub(crate) fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX).min(1 << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_sort_as_times_do_and_come_back() {
        let near = [-1_000_001, -1, 0, 1, 1_000_001].map(|micros| Timestamp::from_micros(micros).unwrap());
        let times = [&[Timestamp::MIN], &near[..], &[Timestamp::MAX]].concat();
        let texts: Vec<String> = times.iter().map(|time| sortable(*time)).collect();
        assert!(texts.is_sorted_by(|a, b| a < b), "{texts:?}");
        for (time, text) in times.iter().zip(&texts) {
            assert_eq!((parse(text), text.len()), (Some(*time), 20));
        }
        assert_eq!((parse(""), parse("x")), (None, None));
    }
}
