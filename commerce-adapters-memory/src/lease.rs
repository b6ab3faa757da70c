//! Named, fenced leases.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::kernel::commit::Fence;
use commerce_core::kernel::error::PortError;
use commerce_core::port::lease::{Granted, Lease};

use crate::MemoryStore;
use crate::state::NamedLease;

#[async_trait]
impl Lease for MemoryStore {
    async fn acquire(&self, name: &str, span: Duration) -> Result<Option<Granted>, PortError> {
        let now = self.clock.now();
        let name: Arc<str> = name.into();
        let mut state = self.state();
        let lease = state.leases.entry(name.clone()).or_insert(NamedLease { token: 0, until: None });
        if lease.until.is_some_and(|until| until > now) {
            return Ok(None);
        }
        lease.token = lease.token.saturating_add(1);
        let until = now.plus(span);
        lease.until = Some(until);
        Ok(Some(Granted { fence: Fence { name, token: lease.token }, until }))
    }

    async fn renew(&self, fence: &Fence, span: Duration) -> Result<Option<Granted>, PortError> {
        let now = self.clock.now();
        let mut state = self.state();
        let held = state
            .leases
            .get_mut(&fence.name)
            .filter(|lease| lease.token == fence.token && lease.until.is_some_and(|until| until > now));
        Ok(held.map(|lease| {
            let until = now.plus(span);
            lease.until = Some(until);
            Granted { fence: fence.clone(), until }
        }))
    }

    async fn release(&self, fence: &Fence) -> Result<(), PortError> {
        let mut state = self.state();
        if let Some(lease) = state.leases.get_mut(&fence.name).filter(|lease| lease.token == fence.token) {
            lease.until = None;
        }
        Ok(())
    }
}
