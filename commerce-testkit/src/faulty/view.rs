//! Read models that fail.

use std::sync::Arc;

use async_trait::async_trait;
use commerce_core::port::view::{
    Document, FacetQuery, Facets, ViewBatch, ViewError, ViewId, ViewPage, ViewQuery, ViewSchema, ViewState,
    ViewStore,
};

use super::{Faulty, Port};

const PORT: Port = Port::Views;

#[async_trait]
impl ViewStore for Faulty<dyn ViewStore> {
    async fn define(&self, schema: ViewSchema) -> Result<(), ViewError> {
        let call = || self.port.define(schema.clone());
        self.faults.around((PORT, "define"), call, ViewError::Port).await
    }

    async fn state(&self, view: &str) -> Result<ViewState, ViewError> {
        self.faults.around((PORT, "state"), || self.port.state(view), ViewError::Port).await
    }

    async fn write(&self, batch: ViewBatch) -> Result<(), ViewError> {
        self.faults.around((PORT, "write"), || self.port.write(batch.clone()), ViewError::Port).await
    }

    async fn get(
        &self,
        view: &str,
        generation: Option<u32>,
        ids: Vec<Arc<str>>,
    ) -> Result<Vec<Option<Document>>, ViewError> {
        let call = || self.port.get(view, generation, ids.clone());
        self.faults.around((PORT, "get"), call, ViewError::Port).await
    }

    async fn find(&self, query: ViewQuery) -> Result<ViewPage, ViewError> {
        self.faults.around((PORT, "find"), || self.port.find(query.clone()), ViewError::Port).await
    }

    async fn facets(&self, query: FacetQuery) -> Result<Facets, ViewError> {
        self.faults.around((PORT, "facets"), || self.port.facets(query.clone()), ViewError::Port).await
    }

    async fn switch(&self, view: &ViewId) -> Result<(), ViewError> {
        self.faults.around((PORT, "switch"), || self.port.switch(view), ViewError::Port).await
    }
}
