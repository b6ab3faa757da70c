//! A store of views under test.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use commerce_core::port::view::{ViewError, ViewStore};

use super::super::exec::{self, BlockOn, Task, block_on};
use super::super::outcome::Failure;
use super::super::suite::PortFixture;

/// A fresh store of views, with what the checks need besides it.
#[derive(Clone)]
pub struct ViewFixture {
    views: Arc<dyn ViewStore>,
    block_on: BlockOn,
}

impl ViewFixture {
    /// A fresh, empty store of views.
    pub fn new(views: impl ViewStore) -> Self {
        Self::from(Arc::new(views) as Arc<dyn ViewStore>)
    }

    /// How the threads of a race run a future, for stores that live on a runtime.
    #[must_use]
    pub fn with_block_on(mut self, block_on: impl Fn(Task) + Send + Sync + 'static) -> Self {
        self.block_on = Arc::new(block_on);
        self
    }

    pub(crate) fn views(&self) -> &dyn ViewStore {
        &*self.views
    }

    pub(crate) fn shared(&self) -> Arc<dyn ViewStore> {
        self.views.clone()
    }

    /// Runs every future on a thread of its own; gives their results in order.
    pub(crate) async fn race<T, F>(&self, futures: Vec<F>) -> Vec<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        exec::race(&self.block_on, futures).await
    }
}

impl From<Arc<dyn ViewStore>> for ViewFixture {
    fn from(views: Arc<dyn ViewStore>) -> Self {
        Self { views, block_on: Arc::new(block_on) }
    }
}

impl fmt::Debug for ViewFixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ViewFixture").field("views", &self.views).finish_non_exhaustive()
    }
}

impl PortFixture for ViewFixture {}

impl From<ViewError> for Failure {
    fn from(error: ViewError) -> Self {
        Self::new(format!("a call that must pass failed: {error} ({error:?})"))
    }
}
