//! Named, fenced leases.

use std::time::Duration;

use async_trait::async_trait;
use commerce_core::kernel::commit::Fence;
use commerce_core::kernel::error::{Effect, PortError};
use commerce_core::port::lease::{Granted, Lease};
use commerce_core::value::time::Timestamp;

use crate::RedisStore;
use crate::answer::{list, number, text};
use crate::error::{corrupt, port_error};
use crate::time::{micros, parse, sortable};

impl RedisStore {
    async fn lease(
        &self,
        deed: &'static str,
        (name, token): (&str, u64),
        span: Duration,
    ) -> Result<Option<Granted>, PortError> {
        let (now, end) = self.time.now_and_end(span);
        let (token, span, latest) = (token.to_string(), micros(span).to_string(), sortable(Timestamp::MAX));
        let arguments = [deed, name, &token, &now, &end, &span, &latest].map(str::as_bytes);
        let answer = self.run(&self.scripts.lease, &arguments).await;
        let answer = answer.map_err(|error| port_error(deed, Effect::Unknown, &error))?;
        match list(&answer) {
            Some([token, until]) => {
                let granted = || {
                    let fence = Fence { name: name.into(), token: number(token)? };
                    Some(Granted { fence, until: parse(text(until)?)? })
                };
                granted().map(Some).ok_or_else(|| corrupt(deed))
            }
            Some([]) => Ok(None),
            _ => Err(corrupt(deed)),
        }
    }
}

#[async_trait]
impl Lease for RedisStore {
    async fn acquire(&self, name: &str, span: Duration) -> Result<Option<Granted>, PortError> {
        self.lease("acquire", (name, 0), span).await
    }

    async fn renew(&self, fence: &Fence, span: Duration) -> Result<Option<Granted>, PortError> {
        self.lease("renew", (&fence.name, fence.token), span).await
    }

    async fn release(&self, fence: &Fence) -> Result<(), PortError> {
        self.lease("release", (&fence.name, fence.token), Duration::ZERO).await.map(drop)
    }
}
