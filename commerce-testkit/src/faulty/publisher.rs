//! A broker that fails.

use async_trait::async_trait;
use commerce_core::port::publisher::{Outgoing, PublishError, Publisher};

use super::{Faulty, Port};

#[async_trait]
impl Publisher for Faulty<dyn Publisher> {
    async fn publish(&self, batch: Vec<Outgoing>) -> Result<(), PublishError> {
        let fails = |failed| PublishError { taken: 0, failed };
        let call = (Port::Publisher, "publish");
        self.faults.around(call, || self.port.publish(batch.clone()), fails).await
    }
}
