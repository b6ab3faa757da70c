//! Read models: a table per generation of a view, with a column per field.

mod ask;
mod define;
mod row;
mod sql;
mod table;
mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use commerce_core::kernel::error::Effect;
use commerce_core::port::view::{
    Document, FacetQuery, Facets, ViewBatch, ViewError, ViewId, ViewPage, ViewQuery, ViewSchema, ViewState,
    ViewStore,
};
use sqlx::postgres::PgRow;

use crate::PgStore;
use crate::error::port_error;
use sql::Sql;
use table::Table;

/// Read models in the schema of a [`PgStore`], over its connections.
///
/// A generation of a view is a table of its own, `view_<name>_<generation>`, with a column per field and an
/// index on each, so that other tools can read it too; `body` holds the document as JSON.
///
/// Views may be read from a replica: make one of a store that connects to it, and fill them through one
/// that connects to the primary.
///
/// # Rights
///
/// Defining a generation and switching to one create and drop tables: the role owns the schema, or a
/// deployment step that does defines them beforehand. Writing and reading need what the store needs, on
/// those tables (`alter default privileges in schema commerce grant select, insert, update, delete on tables
/// to shop`).
#[derive(Clone)]
pub struct PgViews {
    store: PgStore,
    known: Arc<Mutex<Known>>,
}

/// What was learned of views: which generation is read, and the tables.
///
/// Neither changes under a name, but a table goes when a later generation takes its place. Whoever still
/// knows the old one is told by the server that it is gone, and looks again.
#[derive(Default)]
struct Known {
    live: BTreeMap<String, u32>,
    tables: BTreeMap<ViewId, Arc<Table>>,
}

impl PgViews {
    /// The views of a store's schema; [`PgStore::migrate`] makes room for them.
    pub fn on(store: &PgStore) -> Self {
        Self { store: store.clone(), known: Arc::default() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, view: &str) {
        let mut known = self.known();
        known.live.remove(view);
        known.tables.retain(|id, _| id.name != view);
    }

    /// The table of a generation, or of the one that is read.
    async fn table(&self, view: &str, generation: Option<u32>) -> Result<Arc<Table>, ViewError> {
        let found = {
            let known = self.known();
            let number = generation.or_else(|| known.live.get(view).copied());
            number.and_then(|number| known.tables.get(&ViewId::new(view.to_owned(), number)).cloned())
        };
        match found {
            Some(table) => Ok(table),
            None => self.look_up(view, generation).await,
        }
    }

    async fn look_up(&self, view: &str, generation: Option<u32>) -> Result<Arc<Table>, ViewError> {
        let sql = self.store.inner.settings.schema.sql(table::LOOK_UP);
        let number = generation.map(i64::from);
        let rows = self.store.read("view", || sqlx::query(sql.clone()).bind(view).bind(number)).await?;
        let Some(row) = rows.first() else { return Err(ViewError::Unknown(view.to_owned().into())) };
        let (table, live) = table::read(&self.store.inner.settings.schema, view, row)
            .map_err(|error| port_error("view", Effect::None, &error))?;
        let table = Arc::new(table);
        let mut known = self.known();
        if live {
            known.live.insert(view.to_owned(), table.id.generation);
        }
        known.tables.insert(table.id.clone(), table.clone());
        Ok(table)
    }

    /// Asks something of a table; looks again where the table is gone, because another took its place.
    async fn ask(
        &self,
        (view, generation): (&str, Option<u32>),
        operation: &'static str,
        question: impl Fn(&Table) -> Result<Sql, ViewError> + Send + Sync,
    ) -> Result<(Arc<Table>, Vec<PgRow>), ViewError> {
        let mut again = true;
        loop {
            let table = self.table(view, generation).await?;
            let sql = question(&table)?;
            match self.store.try_read(operation, || sql.call()).await? {
                Err(error) if define::is_gone(&error) => {
                    self.forget(view);
                    if !again {
                        return Err(ViewError::Unknown(view.to_owned().into()));
                    }
                    again = false;
                }
                Err(error) => return Err(port_error(operation, Effect::None, &error).into()),
                Ok(rows) => return Ok((table, rows)),
            }
        }
    }
}

impl fmt::Debug for PgViews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgViews").field("store", &self.store).finish_non_exhaustive()
    }
}

#[async_trait]
impl ViewStore for PgViews {
    async fn define(&self, schema: ViewSchema) -> Result<(), ViewError> {
        define::define(self, schema).await
    }

    async fn state(&self, view: &str) -> Result<ViewState, ViewError> {
        define::state(self, view).await
    }

    async fn write(&self, batch: ViewBatch) -> Result<(), ViewError> {
        write::write(self, batch).await
    }

    async fn get(
        &self,
        view: &str,
        generation: Option<u32>,
        ids: Vec<Arc<str>>,
    ) -> Result<Vec<Option<Document>>, ViewError> {
        ask::get(self, (view, generation), ids).await
    }

    async fn find(&self, query: ViewQuery) -> Result<ViewPage, ViewError> {
        ask::find(self, query).await
    }

    async fn facets(&self, query: FacetQuery) -> Result<Facets, ViewError> {
        ask::facets(self, query).await
    }

    async fn switch(&self, view: &ViewId) -> Result<(), ViewError> {
        define::switch(self, view).await
    }
}
