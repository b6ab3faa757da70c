//! Read models in maps: the reference semantics.

mod ask;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use commerce_core::kernel::stream::{Label, Position, Slice};
use commerce_core::port::view::{
    Change, Document, FacetQuery, Facets, InvalidSchema, ViewBatch, ViewError, ViewId, ViewPage, ViewQuery,
    ViewSchema, ViewState, ViewStore,
};

use crate::sync::{Mutex, MutexGuard, lock};

/// Read models in memory. Clones share their content.
///
/// A question looks at every document of its view: right for tests and for a few thousand documents.
#[derive(Clone, Default)]
pub struct MemoryViews {
    views: Arc<Mutex<BTreeMap<Label, View>>>,
}

#[derive(Default)]
struct View {
    live: u32,
    generations: BTreeMap<u32, Generation>,
}

struct Generation {
    schema: ViewSchema,
    checkpoints: BTreeMap<Slice, Position>,
    documents: BTreeMap<Arc<str>, Document>,
}

impl MemoryViews {
    /// Without any view.
    pub fn new() -> Self {
        Self::default()
    }

    fn views(&self) -> MutexGuard<'_, BTreeMap<Label, View>> {
        lock(&self.views)
    }

    fn reading<T>(
        &self,
        view: &str,
        generation: Option<u32>,
        read: impl FnOnce(&Generation) -> Result<T, ViewError>,
    ) -> Result<T, ViewError> {
        let views = self.views();
        let known = views.get(view);
        let found = known.and_then(|known| known.generations.get(&generation.unwrap_or(known.live)));
        read(found.ok_or_else(|| unknown(view))?)
    }
}

fn unknown(view: &str) -> ViewError {
    ViewError::Unknown(view.to_owned().into())
}

impl fmt::Debug for MemoryViews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let views = self.views();
        f.debug_struct("MemoryViews").field("views", &views.keys()).finish_non_exhaustive()
    }
}

#[async_trait]
impl ViewStore for MemoryViews {
    async fn define(&self, schema: ViewSchema) -> Result<(), ViewError> {
        let schema = schema.checked().map_err(|InvalidSchema(reason)| ViewError::Invalid(reason))?;
        let ViewId { name, generation } = schema.id().clone();
        let mut views = self.views();
        let view = views.entry(name.clone()).or_default();
        if view.generations.is_empty() {
            view.live = generation;
        }
        if generation < view.live {
            return Err(ViewError::Retired { live: view.live });
        }
        let fresh =
            Generation { schema: schema.clone(), checkpoints: BTreeMap::new(), documents: BTreeMap::new() };
        let known = view.generations.entry(generation).or_insert(fresh);
        if known.schema == schema { Ok(()) } else { Err(ViewError::Differs(name)) }
    }

    async fn state(&self, view: &str) -> Result<ViewState, ViewError> {
        let views = self.views();
        let Some(known) = views.get(view) else { return Ok(ViewState::default()) };
        let generations = known.generations.iter().map(|(number, generation)| {
            (*number, generation.checkpoints.iter().map(|(slice, at)| (*slice, *at)).collect())
        });
        Ok(ViewState { live: Some(known.live), generations: generations.collect() })
    }

    async fn write(&self, batch: ViewBatch) -> Result<(), ViewError> {
        let mut views = self.views();
        let name = &batch.view.name;
        let known = views.get_mut(name).and_then(|view| view.generations.get_mut(&batch.view.generation));
        let generation = known.ok_or_else(|| unknown(name))?;
        for change in &batch.changes {
            if let Change::Put(document) = change {
                generation.schema.accepts(document)?;
            }
        }
        let checkpoint = generation.checkpoints.entry(batch.slice).or_default();
        if *checkpoint != batch.after {
            return Err(ViewError::Moved { actual: *checkpoint });
        }
        *checkpoint = batch.next;
        for change in batch.changes {
            match change {
                Change::Put(document) => drop(generation.documents.insert(document.id.clone(), document)),
                Change::Remove(id) => drop(generation.documents.remove(&id)),
            }
        }
        Ok(())
    }

    async fn get(
        &self,
        view: &str,
        generation: Option<u32>,
        ids: Vec<Arc<str>>,
    ) -> Result<Vec<Option<Document>>, ViewError> {
        self.reading(view, generation, |known| {
            Ok(ids.iter().map(|id| known.documents.get(id).cloned()).collect())
        })
    }

    async fn find(&self, query: ViewQuery) -> Result<ViewPage, ViewError> {
        self.reading(&query.view, query.generation, |known| {
            query.check(&known.schema)?;
            Ok(ask::page(known.documents.values(), &query))
        })
    }

    async fn facets(&self, query: FacetQuery) -> Result<Facets, ViewError> {
        self.reading(&query.view, None, |known| {
            query.check(&known.schema)?;
            Ok(ask::facets(known.documents.values(), &query))
        })
    }

    async fn switch(&self, view: &ViewId) -> Result<(), ViewError> {
        let mut views = self.views();
        let known = views.get_mut(&view.name).ok_or_else(|| unknown(&view.name))?;
        if view.generation < known.live {
            return Err(ViewError::Retired { live: known.live });
        }
        if !known.generations.contains_key(&view.generation) {
            return Err(unknown(&view.name));
        }
        known.live = view.generation;
        known.generations.retain(|number, _| *number >= view.generation);
        Ok(())
    }
}
