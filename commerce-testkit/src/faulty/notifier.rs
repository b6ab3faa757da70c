//! A provider of messages that fails.

use async_trait::async_trait;
use commerce_core::port::notifier::{Notice, Notifier, NotifierError};
use commerce_core::value::{Channel, Code};

use super::{Faulty, Port};

#[async_trait]
impl Notifier for Faulty<dyn Notifier> {
    fn serves(&self, channel: Channel) -> bool {
        self.port.serves(channel)
    }

    async fn send(&self, notice: Notice) -> Result<Option<Code>, NotifierError> {
        let call = (Port::Notifier, "send");
        self.faults.around(call, || self.port.send(notice.clone()), NotifierError::Port).await
    }
}
