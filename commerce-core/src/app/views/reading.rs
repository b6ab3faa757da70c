//! What is asked of a view, by whom.

use std::sync::Arc;
use std::time::Duration;

use super::Projection;
use super::projector::read;
use crate::app::commerce::Commerce;
use crate::identity::{Denied, Role, authorise};
use crate::kernel::aggregate::Permission;
use crate::kernel::error::{Effect, PortError, PortErrorKind};
use crate::kernel::stream::{Label, Position};
use crate::port::view::{
    Cursor, FacetQuery, Facets, Filter, Selection, Sort, ViewError, ViewQuery, ViewStore,
};
use crate::value::actor::Actor;

/// How often a view is looked at while it is waited for.
const LOOK: Duration = Duration::from_millis(10);

/// A view cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ViewReadError {
    /// The actor may not see it.
    #[error("not permitted")]
    Denied(#[from] Denied),
    /// The store of views refuses or fails.
    #[error("the store of views refuses")]
    View(#[from] ViewError),
}

impl From<PortError> for ViewReadError {
    fn from(error: PortError) -> Self {
        Self::View(error.into())
    }
}

/// A page of a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<D> {
    /// In the order that was asked for.
    pub documents: Vec<D>,
    /// Where to go on, where more may follow.
    pub next: Option<Cursor>,
}

/// A question to a view.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asked {
    /// Which documents.
    pub selection: Selection,
    /// In which order.
    pub sort: Sort,
    /// Behind which page.
    pub after: Option<Cursor>,
}

/// A view, as one actor may see it: staff see everything, others what
/// [`visible_to`](Projection::visible_to) leaves them.
#[derive(Debug, Clone)]
pub struct View<P> {
    shop: Commerce,
    views: Arc<dyn ViewStore>,
    projection: Arc<P>,
    name: Label,
    /// What narrows every question of this actor.
    only: Option<Filter>,
}

impl Commerce {
    /// A view, to be read by whoever this handle acts for.
    ///
    /// # Errors
    ///
    /// [`Denied`] without the permission `<aggregate>:read`, or where the view shows nothing but to staff.
    pub fn view<P: Projection>(&self, projection: P, views: Arc<dyn ViewStore>) -> Result<View<P>, Denied> {
        let principal = &self.request.principal;
        let permission = Permission::new(P::AGGREGATE, "read");
        authorise(principal, permission, None)?;
        let only = if principal.role() == Role::Admin {
            None
        } else {
            let visible = projection.visible_to(principal.actor());
            Some(visible.ok_or(Denied::NotOwner { permission })?)
        };
        let name = projection.schema().id().name.clone();
        Ok(View { shop: self.acting_as(Actor::System), views, projection: Arc::new(projection), name, only })
    }
}

impl<P: Projection> View<P> {
    /// The projection.
    pub fn projection(&self) -> &P {
        &self.projection
    }

    fn narrowed(&self, mut selection: Selection) -> Selection {
        selection.filters.extend(self.only.clone());
        selection
    }

    /// A page of documents, at most `limit` and [`MAX_VIEW_PAGE`](crate::port::view::MAX_VIEW_PAGE).
    ///
    /// # Errors
    ///
    /// [`ViewReadError`]: the question does not fit the fields, or the store fails.
    pub async fn find(&self, asked: Asked, limit: u32) -> Result<Listed<P::Document>, ViewReadError> {
        let query = ViewQuery::new(self.name.clone(), limit)
            .selecting(self.narrowed(asked.selection))
            .sorted(asked.sort)
            .behind(asked.after);
        let page = self.views.find(query).await?;
        let documents = page.documents.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Listed { documents, next: page.next })
    }

    /// One document; `None` also where the actor may not see it.
    ///
    /// # Errors
    ///
    /// [`ViewReadError`].
    pub async fn get(&self, id: &str) -> Result<Option<P::Document>, ViewReadError> {
        let found = self.views.get(&self.name, None, vec![id.into()]).await?;
        let own = self.narrowed(Selection::default());
        let found = found.into_iter().flatten().find(|document| own.selects(document));
        Ok(found.as_ref().map(read).transpose()?)
    }

    /// How often the values of fields occur among the documents that are selected.
    ///
    /// # Errors
    ///
    /// [`ViewReadError`].
    pub async fn facets(
        &self,
        selection: Selection,
        fields: Vec<Label>,
        limit: u32,
    ) -> Result<Facets, ViewReadError> {
        let selection = self.narrowed(selection);
        Ok(self.views.facets(FacetQuery { view: self.name.clone(), selection, fields, limit }).await?)
    }

    /// Waits until the view shows what was committed up to a position, which a receipt tells: whoever waits
    /// for their own commit reads their own writes.
    ///
    /// # Errors
    ///
    /// [`ViewReadError::View`] with a time-out where it did not come so far within `patience`.
    pub async fn wait_for(&self, position: Position, patience: Duration) -> Result<(), ViewReadError> {
        let until = self.shop.now().plus(patience);
        loop {
            if self.reaches(position).await? {
                return Ok(());
            }
            let now = self.shop.now();
            if now >= until {
                return Err(PortError::new(PortErrorKind::Timeout, Effect::None, "views", "wait_for").into());
            }
            self.shop.sleeper().sleep_until(now.plus(LOOK).min(until)).await;
        }
    }

    /// Whether every slice of the generation that is read was followed that far.
    async fn reaches(&self, position: Position) -> Result<bool, ViewReadError> {
        let state = self.views.state(&self.name).await?;
        let live = state.generations.iter().find(|(number, _)| Some(*number) == state.live);
        let slices = live.map_or(&[][..], |(_, slices)| slices);
        let all = slices.first().is_some_and(|(slice, _)| usize::from(slice.of()) == slices.len());
        Ok(all && slices.iter().all(|(_, at)| *at >= position))
    }
}
