//! A store that fails.

use std::sync::Arc;

use async_trait::async_trait;
use commerce_core::kernel::commit::{Commit, Load, Loaded, Receipt};
use commerce_core::kernel::error::{CommitError, Effect, PortError};
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::kernel::stream::{StreamId, Version};
use commerce_core::port::store::{Capabilities, Due, DueQuery, LogQuery, Opening, Page, Row, Store, Table};

use super::around::{COMMIT, failure};
use super::{Fault, Faulty, Port};

impl Faulty<dyn Store> {
    /// Carries out the commits that their callers have given up on.
    pub async fn arrive_late(&self) {
        let late = std::mem::take(&mut self.faults.lock().late);
        for commit in late {
            // Nobody hears whether it was refused.
            drop(self.port.commit(commit).await);
        }
    }
}

#[async_trait]
impl Store for Faulty<dyn Store> {
    fn capabilities(&self) -> Capabilities {
        self.port.capabilities()
    }

    async fn load(&self, load: Load) -> Result<Loaded, PortError> {
        self.faults.around((Port::Store, "load"), || self.port.load(load.clone()), |error| error).await
    }

    async fn commit(&self, commit: Commit) -> Result<Receipt, CommitError> {
        let fault = self.faults.draw(Port::Store, COMMIT).await;
        if fault == Some(Fault::Late) {
            self.faults.lock().late.push(commit);
            return Err(CommitError::Port(failure(Port::Store, COMMIT, Effect::Unknown)));
        }
        let mut call = || self.port.commit(commit.clone());
        let answer = self.faults.carry_out((Port::Store, COMMIT), fault, &mut call, CommitError::Port).await;
        self.arrive_late().await;
        answer
    }

    async fn read_all(&self, query: LogQuery) -> Result<Page, PortError> {
        self.faults.around((Port::Store, "read_all"), || self.port.read_all(query), |error| error).await
    }

    async fn read_stream(
        &self,
        stream: &StreamId,
        after: Version,
        limit: u32,
    ) -> Result<Vec<Arc<RecordedEvent>>, PortError> {
        let call = (Port::Store, "read_stream");
        self.faults.around(call, || self.port.read_stream(stream, after, limit), |error| error).await
    }

    async fn due(&self, query: DueQuery) -> Result<Due, PortError> {
        self.faults.around((Port::Store, "due"), || self.port.due(query.clone()), |error| error).await
    }

    async fn scan(&self, table: Table, after: Option<&str>, limit: u32) -> Result<Vec<Row>, PortError> {
        let call = (Port::Store, "scan");
        self.faults.around(call, || self.port.scan(table, after, limit), |error| error).await
    }

    async fn opening(&self, table: Table, after: Option<&str>, limit: u32) -> Result<Opening, PortError> {
        let call = (Port::Store, "opening");
        self.faults.around(call, || self.port.opening(table, after, limit), |error| error).await
    }
}
