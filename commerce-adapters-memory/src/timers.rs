//! Due timers and their leases.

use commerce_core::kernel::timer::DueTimer;
use commerce_core::port::store::{Due, DueQuery, MAX_PAGE};
use commerce_core::value::time::Timestamp;
use uuid::Uuid;

use crate::state::State;

impl State {
    pub(crate) fn due(&mut self, query: &DueQuery, now: Timestamp) -> Due {
        let limit = query.limit.min(MAX_PAGE) as usize;
        let mut timers = Vec::new();
        let mut next: Option<Timestamp> = None;
        for (due, key) in &self.agenda {
            if !query.kinds.is_empty() && !query.kinds.contains(&key.stream.kind) {
                continue;
            }
            let Some(timer) = self.timers.get_mut(key) else { continue };
            let leased = timer.lease.map(|(_, until)| until).filter(|until| *until > now);
            let ready = leased.unwrap_or(*due);
            let full = timers.len() >= limit;
            if ready > now || full {
                next = Some(next.map_or(ready, |known| known.min(ready)));
                // What stands behind is due later; but a lease that ends sooner may hide there, and behind
                // a leased timer one that only the limit cut off.
                if *due > now || (full && ready <= now) {
                    break;
                }
                continue;
            }
            self.tokens = self.tokens.wrapping_add(1);
            let token = Uuid::from_u128(u128::from(self.tokens));
            timer.lease = Some((token, now.plus(query.lease)));
            timers.push(DueTimer { key: key.clone(), due: *due, payload: timer.payload.clone(), token });
        }
        Due { now, timers, next }
    }
}
