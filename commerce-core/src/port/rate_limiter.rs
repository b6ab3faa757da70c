//! Limits on how often something is done.

use std::fmt::{self, Debug};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::kernel::error::PortError;

/// The largest product of a bucket's size and its period in microseconds: whole numbers that a double holds.
const MOST: u64 = 1 << 52;

/// So many at once, and as many again within a period: a bucket of tokens that is filled evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limit {
    size: NonZeroU32,
    micros: u64,
}

/// A limit of nothing, of no time, or too large to be reckoned exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a limit: nothing, no time, or too large")]
#[non_exhaustive]
pub struct InvalidLimit;

impl Limit {
    /// A hundred a minute: for a user, as in the source documents.
    pub const PER_USER: Self = Self::constant(100, 60);
    /// A thousand an hour: for an address, as in the source documents.
    pub const PER_ADDRESS: Self = Self::constant(1000, 3600);

    const fn constant(size: u32, seconds: u64) -> Self {
        let size = match NonZeroU32::new(size) {
            Some(size) => size,
            None => NonZeroU32::MIN,
        };
        Self { size, micros: seconds.saturating_mul(1_000_000) }
    }

    /// `size` within `per`, truncated to the microsecond.
    ///
    /// # Errors
    ///
    /// [`InvalidLimit`].
    pub fn new(size: u32, per: Duration) -> Result<Self, InvalidLimit> {
        let size = NonZeroU32::new(size).ok_or(InvalidLimit)?;
        let micros = u64::try_from(per.as_micros()).map_err(|_| InvalidLimit)?;
        let product = micros.checked_mul(u64::from(size.get())).ok_or(InvalidLimit)?;
        if product == 0 || product > MOST { Err(InvalidLimit) } else { Ok(Self { size, micros }) }
    }

    /// How many at once.
    pub const fn size(&self) -> u32 {
        self.size.get()
    }

    /// The period, in microseconds.
    pub const fn micros(&self) -> u64 {
        self.micros
    }

    /// Decides on a bucket that owes `debt`, which was reckoned `elapsed` ago. A debt is counted in parts of
    /// a token, as many to the token as the period has microseconds, so that all of it is exact.
    ///
    /// Gives the answer and the new debt. For adapters; a cost above the size is never allowed.
    pub fn decide(&self, debt: u64, elapsed: Duration, cost: u32) -> (Acquired, u64) {
        let size = u64::from(self.size.get());
        let full = size.saturating_mul(self.micros);
        let elapsed = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX).min(self.micros);
        let debt = debt.min(full).saturating_sub(elapsed.saturating_mul(size));
        let wanted = debt.saturating_add(u64::from(cost).saturating_mul(self.micros));
        if let Some(left) = full.checked_sub(wanted) {
            let remaining = u32::try_from(left.checked_div(self.micros).unwrap_or(0)).unwrap_or(u32::MAX);
            (Acquired::Allowed { remaining }, wanted)
        } else {
            let wait = wanted.saturating_sub(full).div_ceil(size);
            (Acquired::Wait(Duration::from_micros(wait)), debt)
        }
    }
}

/// Whose doings are counted.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LimitKey(Arc<str>);

impl LimitKey {
    /// What is counted and whose: `LimitKey::new("login", "ann")`.
    pub fn new(what: &str, whose: &str) -> Self {
        Self(format!("{what}:{whose}").into())
    }

    /// An address; of the newer ones the network of a customer (`/64`), which has plenty of addresses.
    pub fn address(what: &str, address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::new(what, &address.to_string()),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self::new(what, &format!("{a:x}:{b:x}:{c:x}:{d:x}::/64"))
            }
        }
    }

    /// The key as a text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whose it is, is not shown.
impl Debug for LimitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LimitKey({}:…)", self.0.split(':').next().unwrap_or(""))
    }
}

/// What a limiter answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acquired {
    /// It may be done; so many more at once.
    Allowed {
        /// Whole tokens that are left.
        remaining: u32,
    },
    /// Not yet: nothing was taken, and after this time it may be done, if nobody else is faster.
    Wait(Duration),
}

/// Counts what is done, by whom.
#[async_trait]
pub trait RateLimiter: Debug + Send + Sync + 'static {
    /// Takes `cost` tokens out of the bucket of a key, or says how long to wait.
    ///
    /// # Contract
    ///
    /// All or nothing; of callers at the same time no more are allowed than there are tokens. A key that was
    /// not asked for is full; another limit of the same key is another bucket. Exact to the microsecond, by the
    /// adapter's own clock; one that is set back takes nothing away. A cost of zero takes nothing and tells what is left. `Invalid` for a cost above the
    /// limit's size. Where its effect is unknown, tokens may be gone: it is not repeated.
    async fn acquire(&self, key: &LimitKey, limit: Limit, cost: u32) -> Result<Acquired, PortError>;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_show_nobody_and_networks_are_one() {
        let key = LimitKey::new("login", "ann@example.com");
        assert_eq!(format!("{key:?}"), "LimitKey(login:…)");
        let address = |text: &str| LimitKey::address("ip", text.parse().unwrap());
        assert_eq!(address("2001:db8:1:2::1"), address("2001:db8:1:2:ffff::9"));
        assert_ne!(address("2001:db8:1:2::1"), address("2001:db8:1:3::1"));
        assert_eq!(address("::ffff:10.0.0.1"), address("10.0.0.1"));
    }

    #[test]
    fn limits_that_cannot_be_reckoned_are_refused() {
        for (size, per) in
            [(0, Duration::from_secs(1)), (1, Duration::ZERO), (u32::MAX, Duration::from_secs(9999))]
        {
            assert_eq!(Limit::new(size, per), Err(InvalidLimit));
        }
        assert_eq!(Limit::new(100, Duration::from_secs(60)), Ok(Limit::PER_USER));
        assert_eq!(Limit::new(1000, Duration::from_secs(3600)), Ok(Limit::PER_ADDRESS));
    }

    proptest! {
        /// Whoever waits as long as was said gets it, a microsecond earlier not; and whatever happens, no more
        /// pass within a stretch of time than the bucket holds and the stretch fills.
        #[test]
        fn limits_are_exact(
            size in 1_u32..20,
            micros in 1_u64..5_000,
            calls in prop::collection::vec((0_u64..3_000, 0_u32..4), 1..100),
        ) {
            let limit = Limit::new(size, Duration::from_micros(micros)).unwrap();
            let (mut debt, mut passed, mut time) = (0, 0_u64, 0_u64);
            for (elapsed, cost) in calls {
                let cost = cost.min(size);
                time += elapsed;
                let (answer, after) = limit.decide(debt, Duration::from_micros(elapsed), cost);
                if let Acquired::Wait(wait) = answer {
                    let wait = u64::try_from(wait.as_micros()).unwrap();
                    let then = |wait| limit.decide(after, Duration::from_micros(wait), cost).0;
                    let (soon, late) = (then(wait - 1), then(wait));
                    let waits = |answer| matches!(answer, Acquired::Wait(_));
                    prop_assert!(waits(soon) && !waits(late));
                } else {
                    passed += u64::from(cost);
                }
                debt = after;
                prop_assert!(passed <= u64::from(size) + time * u64::from(size) / micros);
            }
        }
    }
}
