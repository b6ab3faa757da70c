//! Pauses between attempts.

use std::time::Duration;

/// How often something is tried again, and after which pauses.
///
/// The default is the one of the source documents: three retries after 1 s, 2 s and 4 s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Retries behind the first call: a policy of n makes at most n + 1 calls.
    pub retries: u32,
    /// The pause before the first retry; each further one is twice as long.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// By how much a pause may be shortened, in percent of it (0 to 100).
    pub jitter_percent: u8,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            retries: 3,
            first: Duration::from_secs(1),
            longest: Duration::from_secs(60),
            jitter_percent: 0,
        }
    }
}

impl Backoff {
    /// The pause before the retry with this number, from 1; `None` where there is no such retry.
    ///
    /// The same seed gives the same pause. Jitter only shortens: a pause is never longer than without it.
    pub fn pause(&self, retry: u32, seed: u64) -> Option<Duration> {
        if retry == 0 || retry > self.retries {
            return None;
        }
        let doublings = retry.saturating_sub(1).min(31);
        let full = self.first.saturating_mul(1_u32 << doublings).min(self.longest);
        let span = full.as_micros().saturating_mul(u128::from(self.jitter_percent.min(100))) / 100;
        let cut = u128::from(mix(seed ^ u64::from(retry))) % span.saturating_add(1);
        let micros = full.as_micros().saturating_sub(cut);
        Some(Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX)))
    }
}

/// Spreads a seed over 64 bits (the finaliser of splitmix64, public domain).
const fn mix(seed: u64) -> u64 {
    let a = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let b = (a ^ (a >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let c = (b ^ (b >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    c ^ (c >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_default_waits_one_two_and_four_seconds() {
        let pauses: Vec<_> = (1..=4).map(|retry| Backoff::default().pause(retry, 7)).collect();
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(pauses, [seconds(1), seconds(2), seconds(4), None]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn patterns_5_the_schedule_is_pure_and_bounded(
            retries in 0_u32..40,
            first in 0_u64..100_000,
            longest in 0_u64..1_000_000,
            jitter in 0_u8..=100,
            seed in any::<u64>(),
        ) {
            let policy = Backoff {
                retries,
                first: Duration::from_millis(first),
                longest: Duration::from_millis(longest),
                jitter_percent: jitter,
            };
            let plain = Backoff { jitter_percent: 0, ..policy };
            let calls = 1 + (1..100).take_while(|retry| policy.pause(*retry, seed).is_some()).count();
            prop_assert_eq!(calls, retries as usize + 1);
            for retry in 1..=retries {
                let (pause, full) = (policy.pause(retry, seed).unwrap(), plain.pause(retry, 0).unwrap());
                prop_assert_eq!(policy.pause(retry, seed), Some(pause));
                prop_assert!(pause <= full && full <= policy.longest);
                let least = full.as_micros() * u128::from(100 - jitter) / 100;
                prop_assert!(pause.as_micros() + 1 > least);
            }
        }
    }
}
