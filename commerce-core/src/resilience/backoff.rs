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

    /// The first outputs of splitmix64 from state 0, as its reference implementation prints them.
    #[test]
    fn seeds_are_spread_as_splitmix64_does() {
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf);
        assert_eq!(mix(0x9e37_79b9_7f4a_7c15), 0x6e78_9e6a_a1b9_65f4);
        assert_eq!(mix(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(2)), 0x06c4_5d18_8009_454f);
    }

    #[test]
    fn jitter_cuts_at_most_its_share_off_and_every_retry_differs() {
        let first = Duration::from_secs(100);
        let policy = Backoff { first, longest: first, jitter_percent: 25, ..Backoff::default() };
        let cut = |retry: u32| {
            let pause = policy.pause(retry, 0b110).unwrap();
            u64::try_from(first.checked_sub(pause).unwrap().as_micros()).unwrap()
        };
        for retry in 1..=3 {
            // A quarter of a hundred seconds, in microseconds, both ends included.
            assert_eq!(cut(retry), mix(0b110 ^ u64::from(retry)) % 25_000_001);
        }
        assert!(cut(1) != cut(2) && cut(2) != cut(3) && cut(1) != cut(3));
    }
}
