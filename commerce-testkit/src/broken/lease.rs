//! Named leases of the broken store.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::kernel::commit::Fence;
use commerce_core::kernel::error::PortError;
use commerce_core::port::lease::{Granted, Lease};
use commerce_core::value::time::Timestamp;

use super::flaw::Break;
use super::state::{Held, State};
use super::store::BrokenStore;

impl State {
    fn is_free(&self, name: &str, now: Timestamp) -> bool {
        let lasts = |until: Timestamp| until > now || self.has(Break::LeaseNeverEnds);
        let held = self.leases.get(name).and_then(|held| held.until).is_some_and(lasts);
        !held || self.has(Break::GrantsTwice)
    }

    fn is_holder(&self, fence: &Fence, now: Timestamp) -> bool {
        self.leases.get(&fence.name).is_some_and(|held| {
            held.token == fence.token
                && (held.until.is_some_and(|until| until > now) || self.has(Break::RenewsWhatWasLost))
        })
    }

    fn grant(&mut self, name: Arc<str>, until: Timestamp, grows: bool) -> Granted {
        let before = self.leases.get(&name).map_or(0, |held| held.token);
        let token = before + u64::from(grows || before == 0);
        self.leases.insert(name.clone(), Held { token, until: Some(until) });
        Granted { fence: Fence { name, token }, until }
    }
}

#[async_trait]
impl Lease for BrokenStore {
    async fn acquire(&self, name: &str, span: Duration) -> Result<Option<Granted>, PortError> {
        let now = self.now();
        let mut state = self.state();
        if !state.is_free(name, now) {
            return Ok(None);
        }
        if state.has(Break::GrantsOutsideTheLock) {
            state = self.meet(state);
        }
        let released = state.leases.get(name).is_some_and(|held| held.until.is_none());
        let grows = !(released && state.has(Break::RepeatsTokens));
        Ok(Some(state.grant(name.into(), now.plus(span), grows)))
    }

    async fn renew(&self, fence: &Fence, span: Duration) -> Result<Option<Granted>, PortError> {
        let now = self.now();
        let mut state = self.state();
        if !state.is_holder(fence, now) {
            return Ok(None);
        }
        let before = state.leases.get(&fence.name).copied();
        let grows = state.has(Break::RenewsUnderAnotherToken);
        let granted = state.grant(fence.name.clone(), now.plus(span), grows);
        if let Some(before) = before.filter(|_| state.has(Break::RenewDoesNotExtend)) {
            state.leases.insert(fence.name.clone(), before);
        }
        Ok(Some(granted))
    }

    async fn release(&self, fence: &Fence) -> Result<(), PortError> {
        let mut state = self.state();
        let (anyone, keeps) = (state.has(Break::AnyoneReleasesLeases), state.has(Break::KeepsReleasedLeases));
        if let Some(held) = state.leases.get_mut(&fence.name)
            && (held.token == fence.token || anyone)
            && !keeps
        {
            held.until = None;
        }
        Ok(())
    }
}
