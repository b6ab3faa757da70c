//! A short lock, so that of many processes one loads.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use crate::kernel::commit::Fence;
use crate::port::cache::CacheKey;
use crate::port::lease::Lease;
use crate::port::platform::Platform;

/// So many locks there are; keys that share one wait for each other now and then.
const LOCKS: u64 = 1024;
/// How long whoever holds one may be gone before others do not wait any more, and before it is anybody's.
const HELD: Duration = Duration::from_secs(2);
/// Between two looks at what another one loads.
const PAUSE: Duration = Duration::from_millis(20);

/// Locks of keys, by leases. Nothing rests on them but how often something is loaded.
#[derive(Debug, Clone)]
pub(super) struct Lock {
    lease: Arc<dyn Lease>,
    platform: Platform,
}

/// Whose turn it is.
#[derive(Debug)]
pub(super) enum Turn {
    /// The caller's, who gives it back.
    Mine(Fence),
    /// Another one's.
    Theirs,
    /// Nobody knows, and nobody waits for that.
    Unknown,
}

impl Lock {
    pub(super) const fn by(lease: Arc<dyn Lease>, platform: Platform) -> Self {
        Self { lease, platform }
    }

    pub(super) async fn take(&self, key: &CacheKey) -> Turn {
        // The same in every process of one program; where it is not, two load.
        let mut hasher = DefaultHasher::new();
        key.as_str().hash(&mut hasher);
        let name = format!("cache-load:{}", hasher.finish() % LOCKS);
        match self.lease.acquire(&name, HELD).await {
            Ok(Some(granted)) => Turn::Mine(granted.fence),
            Ok(None) => Turn::Theirs,
            Err(_) => Turn::Unknown,
        }
    }

    pub(super) async fn give_back(&self, fence: &Fence) {
        // It ends by itself.
        drop(self.lease.release(fence).await);
    }

    /// Waits for another one, as often as that makes sense; whether it still does.
    pub(super) async fn wait(&self, waits: &mut u32) -> bool {
        *waits = waits.saturating_add(1);
        if PAUSE.saturating_mul(*waits) > HELD {
            return false;
        }
        self.platform.sleeper.sleep_until(self.platform.clock.now().plus(PAUSE)).await;
        true
    }
}
