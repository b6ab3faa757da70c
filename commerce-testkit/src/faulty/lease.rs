//! Leases that fail.

use std::time::Duration;

use async_trait::async_trait;
use commerce_core::kernel::commit::Fence;
use commerce_core::kernel::error::PortError;
use commerce_core::port::lease::{Granted, Lease};

use super::{Faulty, Port};

#[async_trait]
impl Lease for Faulty<dyn Lease> {
    async fn acquire(&self, name: &str, span: Duration) -> Result<Option<Granted>, PortError> {
        let call = (Port::Lease, "acquire");
        self.faults.around(call, || self.port.acquire(name, span), |error| error).await
    }

    async fn renew(&self, fence: &Fence, span: Duration) -> Result<Option<Granted>, PortError> {
        let call = (Port::Lease, "renew");
        self.faults.around(call, || self.port.renew(fence, span), |error| error).await
    }

    async fn release(&self, fence: &Fence) -> Result<(), PortError> {
        let call = (Port::Lease, "release");
        self.faults.around(call, || self.port.release(fence), |error| error).await
    }
}
