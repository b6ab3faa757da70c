//! Due timers.

use commerce_core::kernel::timer::DueTimer;
use commerce_core::port::store::{Due, DueQuery, MAX_PAGE};
use commerce_core::value::time::Timestamp;
use uuid::Uuid;

use super::flaw::Break;
use super::state::State;

impl State {
    /// Leases due timers.
    pub(super) fn due(&mut self, query: &DueQuery, now: Timestamp) -> Due {
        let limit =
            if self.has(Break::IgnoresDueLimit) { MAX_PAGE } else { query.limit.min(MAX_PAGE) } as usize;
        let any = query.kinds.is_empty() || self.has(Break::IgnoresKinds);
        let mut keys: Vec<_> = self
            .timers
            .iter()
            .filter(|(key, _)| any || query.kinds.contains(&key.stream.kind))
            .map(|(key, timer)| (timer.due, key.clone()))
            .collect();
        keys.sort();
        if self.has(Break::LatestFirst) {
            keys.reverse();
        }
        let (flaw, mut timers, mut next) = (self.flaw, Vec::new(), None::<Timestamp>);
        for (due, key) in keys {
            let Some(timer) = self.timers.get_mut(&key) else { continue };
            let lasts = |until: &Timestamp| *until > now || flaw == Some(Break::TimerLeaseNeverEnds);
            let leased = timer.lease.map(|(_, until)| until).filter(lasts);
            let ready = if flaw == Some(Break::GivesTimersEarly) { now } else { leased.unwrap_or(due) };
            let full = timers.len() >= limit;
            if ready > now || full || (leased.is_some() && flaw == Some(Break::TimerLeaseNeverEnds)) {
                if !(full && flaw == Some(Break::NextForgetsTheCutOff)) {
                    next = Some(next.map_or(ready, |known| known.min(ready)));
                }
                continue;
            }
            let same = flaw == Some(Break::GivesTheSameToken);
            self.tokens += u64::from(!same || self.tokens == 0);
            let token = Uuid::from_u128(u128::from(self.tokens));
            if flaw != Some(Break::LeasesNothing) {
                timer.lease = Some((token, now.plus(query.lease)));
            }
            let forgets = flaw == Some(Break::ForgetsPayloads);
            let payload = if forgets { [][..].into() } else { timer.payload.clone() };
            timers.push(DueTimer { key, due, payload, token });
        }
        if self.has(Break::DueRemoves) {
            self.timers.retain(|key, _| timers.iter().all(|timer| timer.key != *key));
        }
        let next = next.filter(|_| !self.has(Break::ForgetsNext));
        Due { now, timers, next }
    }
}
