//! A store of views that breaks one clause of its contract on demand, around another that keeps it.

use std::sync::Arc;

use async_trait::async_trait;
use commerce_core::kernel::stream::{Label, Position};
use commerce_core::port::view::{
    Change, Direction, Document, FacetQuery, Facets, FieldValue, Filter, MAX_FACET_VALUES, MAX_VIEW_PAGE,
    Selection, Sort, ViewBatch, ViewError, ViewId, ViewPage, ViewQuery, ViewSchema, ViewState, ViewStore,
};

use super::view_flaw::ViewBreak;

/// Breaks one clause of the contract of the views that it stands before.
#[derive(Debug, Clone)]
pub struct BrokenViews {
    views: Arc<dyn ViewStore>,
    flaw: Option<ViewBreak>,
}

impl BrokenViews {
    /// Before these views, which keep the contract themselves.
    pub fn before(views: Arc<dyn ViewStore>, flaw: Option<ViewBreak>) -> Self {
        Self { views, flaw }
    }

    fn has(&self, flaw: ViewBreak) -> bool {
        self.flaw == Some(flaw)
    }

    /// Filters that are let through.
    fn keeps(&self, filter: &Filter) -> bool {
        match filter {
            Filter::Is(field, FieldValue::Text(_)) if field == "tags" => {
                !self.has(ViewBreak::IgnoresOneOfSeveral)
            }
            Filter::Is(..) => !self.has(ViewBreak::IgnoresIs),
            Filter::OneOf(..) => !self.has(ViewBreak::IgnoresOneOf),
            Filter::AtLeast(..) => !self.has(ViewBreak::IgnoresAtLeast),
            Filter::Below(..) => !self.has(ViewBreak::IgnoresBelow),
        }
    }

    fn selection(&self, mut selection: Selection) -> Selection {
        selection.filters.retain(|filter| self.keeps(filter));
        if self.has(ViewBreak::OneFilterCounts) {
            selection.filters.truncate(1);
        }
        if self.has(ViewBreak::IgnoresTheSearch) {
            selection.search = None;
        }
        if self.has(ViewBreak::OneWordCounts) {
            let first = selection.search.as_deref().and_then(|text| text.split(' ').next()).map(Arc::from);
            selection.search = first;
        }
        selection
    }

    /// The checkpoint of a batch's slice.
    async fn checkpoint(&self, batch: &ViewBatch) -> Result<Position, ViewError> {
        let state = self.views.state(&batch.view.name).await?;
        Ok(state.checkpoint(batch.view.generation, batch.slice).unwrap_or(Position::START))
    }

    async fn is_there(&self, view: &ViewId, id: &Arc<str>) -> Result<bool, ViewError> {
        let found = self.views.get(&view.name, Some(view.generation), vec![id.clone()]).await?;
        Ok(found.into_iter().flatten().next().is_some())
    }

    /// Changes the batch before it is written.
    async fn meddle(&self, batch: &mut ViewBatch) -> Result<(), ViewError> {
        match self.flaw {
            Some(ViewBreak::FirstChangeCounts) => batch.changes.reverse(),
            Some(ViewBreak::RemovesNothing) => {
                batch.changes.retain(|change| matches!(change, Change::Put(_)));
            }
            Some(ViewBreak::KeepsTheCheckpoint) => batch.next = batch.after,
            Some(ViewBreak::LastWriterWins) => batch.after = self.checkpoint(batch).await?,
            Some(ViewBreak::RemovesOnlyWhatIsThere) => {
                for change in &batch.changes {
                    if let Change::Remove(id) = change
                        && !self.is_there(&batch.view, id).await?
                    {
                        return Err(ViewError::Invalid("nothing to remove".into()));
                    }
                }
            }
            Some(ViewBreak::AddsToDocuments) => {
                for change in &mut batch.changes {
                    let (name, generation) = (&batch.view.name, Some(batch.view.generation));
                    let Change::Put(document) = change else { continue };
                    let found = self.views.get(name, generation, vec![document.id.clone()]).await?;
                    for (field, value) in found.into_iter().flatten().flat_map(|before| before.fields) {
                        document.fields.entry(field).or_insert(value);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Writes what fits of a batch that was refused as a whole.
    async fn write_the_rest(&self, mut batch: ViewBatch) -> Result<(), ViewError> {
        batch.changes.retain(|change| match change {
            Change::Put(document) => document
                .fields
                .values()
                .all(|value| !matches!(value, FieldValue::Text(text) if text.contains('\0'))),
            Change::Remove(_) => true,
        });
        self.views.write(batch).await
    }

    async fn page(&self, query: ViewQuery) -> Result<ViewPage, ViewError> {
        match self.flaw {
            Some(ViewBreak::ForgetsWhereItWas) => {
                let gone = match &query.after {
                    Some(cursor) => {
                        let found =
                            self.views.get(&query.view, query.generation, vec![cursor.id.clone()]).await?;
                        found.into_iter().flatten().next().is_none()
                    }
                    None => false,
                };
                let after = query.after.clone().filter(|_| !gone);
                self.views.find(ViewQuery { after, ..query }).await
            }
            Some(ViewBreak::RepeatsTheLastOfAPage) => {
                let last = query.after.clone();
                let mut page = self.views.find(query.clone()).await?;
                if let Some(cursor) = last {
                    let again = self.views.get(&query.view, query.generation, vec![cursor.id]).await?;
                    page.documents.splice(0..0, again.into_iter().flatten());
                }
                Ok(page)
            }
            Some(ViewBreak::AnyPageSize) if query.limit > MAX_VIEW_PAGE => {
                let first = self.views.find(query.clone()).await?;
                let second = self.views.find(ViewQuery { after: first.next.clone(), ..query }).await?;
                Ok(ViewPage { documents: [first.documents, second.documents].concat(), next: first.next })
            }
            Some(ViewBreak::AcceptsAnyCursor) => match self.views.find(query.clone()).await {
                Err(ViewError::Invalid(_)) => self.views.find(ViewQuery { after: None, ..query }).await,
                found => found,
            },
            Some(ViewBreak::AcceptsAnyQuestion) => match self.views.find(query.clone()).await {
                Err(ViewError::Invalid(_)) if query.after.is_none() => {
                    self.views.find(ViewQuery::new(query.view, query.limit)).await
                }
                found => found,
            },
            _ => self.views.find(query).await,
        }
    }

    fn shuffle(&self, page: &mut ViewPage, sort: &Sort) {
        if self.has(ViewBreak::SortsTextsWithoutCase) {
            let key = |document: &Document| {
                let value = sort.field.as_ref().and_then(|field| document.fields.get(field));
                match value {
                    Some(FieldValue::Text(text)) => text.to_lowercase(),
                    Some(_) => String::new(),
                    None => document.id.to_lowercase(),
                }
            };
            page.documents.sort_by_key(key);
        }
        if self.has(ViewBreak::EqualOnesInAnyOrder)
            && let Some(field) = &sort.field
        {
            page.documents.reverse();
            page.documents.sort_by(|left, right| {
                let order = left.fields.get(field).cmp(&right.fields.get(field));
                if sort.direction == Direction::Descending { order.reverse() } else { order }
            });
        }
        if self.has(ViewBreak::NothingFollows) {
            page.next = None;
        }
    }
}

/// What a refusal of this kind becomes where it is swallowed.
fn swallow(result: Result<(), ViewError>, swallowed: fn(&ViewError) -> bool) -> Result<(), ViewError> {
    match result {
        Err(error) if swallowed(&error) => Ok(()),
        result => result,
    }
}

#[async_trait]
impl ViewStore for BrokenViews {
    async fn define(&self, schema: ViewSchema) -> Result<(), ViewError> {
        let id = schema.id().clone();
        match self.flaw {
            Some(ViewBreak::DefinesOnce) => {
                let state = self.views.state(&id.name).await?;
                if state.generations.iter().any(|(number, _)| *number == id.generation) {
                    return Err(ViewError::Differs(id.name));
                }
                self.views.define(schema).await
            }
            Some(ViewBreak::LastGenerationIsRead) => {
                self.views.define(schema).await?;
                self.views.switch(&id).await
            }
            Some(ViewBreak::AcceptsOtherFields) => {
                swallow(self.views.define(schema).await, |error| matches!(error, ViewError::Differs(_)))
            }
            Some(ViewBreak::DefinesWhatIsRetired) => {
                swallow(self.views.define(schema).await, |error| matches!(error, ViewError::Retired { .. }))
            }
            Some(ViewBreak::AcceptsAnySchema) => {
                swallow(self.views.define(schema).await, |error| matches!(error, ViewError::Invalid(_)))
            }
            _ => self.views.define(schema).await,
        }
    }

    async fn state(&self, view: &str) -> Result<ViewState, ViewError> {
        let mut state = self.views.state(view).await?;
        if self.has(ViewBreak::KnowsEveryView) {
            state.live = state.live.or(Some(1));
        }
        if self.has(ViewBreak::SlicesInAnyOrder) {
            state.generations.iter_mut().for_each(|(_, slices)| slices.reverse());
        }
        Ok(state)
    }

    async fn write(&self, mut batch: ViewBatch) -> Result<(), ViewError> {
        if self.has(ViewBreak::DefinesWhatItWrites)
            && self.views.state(&batch.view.name).await?.live.is_none()
        {
            return Ok(());
        }
        self.meddle(&mut batch).await?;
        match (self.views.write(batch.clone()).await, self.flaw) {
            (Err(ViewError::Moved { .. }), Some(ViewBreak::MovedFromTheStart)) => {
                Err(ViewError::Moved { actual: Position::START })
            }
            (Err(ViewError::Moved { .. }), Some(ViewBreak::LosersSucceed)) => Ok(()),
            (Err(error @ ViewError::Invalid(_)), Some(ViewBreak::WritesWhatFits)) => {
                self.write_the_rest(batch).await?;
                Err(error)
            }
            (Err(ViewError::Unknown(_)), Some(ViewBreak::WritesToTheRetired)) => {
                let live = self.views.state(&batch.view.name).await?.live.unwrap_or(0);
                let late = batch.view.generation < live;
                if late { Ok(()) } else { Err(ViewError::Unknown(batch.view.name)) }
            }
            (result, _) => result,
        }
    }

    async fn get(
        &self,
        view: &str,
        generation: Option<u32>,
        ids: Vec<Arc<str>>,
    ) -> Result<Vec<Option<Document>>, ViewError> {
        let ids: Vec<Arc<str>> = if self.has(ViewBreak::AnswersSorted) {
            let mut sorted = ids;
            sorted.sort_unstable();
            sorted
        } else {
            ids
        };
        let generation = generation.filter(|_| !self.has(ViewBreak::IgnoresTheGeneration));
        let mut found = match self.views.get(view, generation, ids).await {
            Err(ViewError::Unknown(_)) if self.has(ViewBreak::ReadsWhatIsUnknown) => Vec::new(),
            found => found?,
        };
        if self.has(ViewBreak::LeavesOutWhatIsNotThere) && found.len() > 1 {
            found.retain(Option::is_some);
        }
        Ok(found)
    }

    async fn find(&self, mut query: ViewQuery) -> Result<ViewPage, ViewError> {
        query.selection = self.selection(query.selection);
        let asked = query.sort.clone();
        if self.has(ViewBreak::IgnoresTheSort) && query.after.is_none() {
            query.sort.field = None;
        }
        if self.has(ViewBreak::IgnoresTheDirection) {
            query.sort.direction = Direction::Ascending;
        }
        if self.has(ViewBreak::OneMoreThanTheLimit) {
            query.limit = query.limit.saturating_add(1);
        }
        let mut page = self.page(query).await?;
        self.shuffle(&mut page, &asked);
        Ok(page)
    }

    async fn facets(&self, mut query: FacetQuery) -> Result<Facets, ViewError> {
        if self.has(ViewBreak::CountsEverything) {
            query.selection = Selection::default();
        }
        let (asked, limit) = (query.fields.clone(), query.limit);
        if self.has(ViewBreak::IgnoresTheLimitOfValues) {
            query.limit = u32::MAX;
        }
        let mut facets = self.views.facets(query.clone()).await?;
        let several: Vec<Label> = asked.into_iter().filter(|field| field == "tags").collect();
        for (field, counts) in &mut facets.fields {
            if self.has(ViewBreak::CountsInAnyOrder) {
                counts.reverse();
            }
            if self.has(ViewBreak::CountsSeveralTextsOnce) && several.contains(field) {
                counts.truncate(1);
            }
            if self.has(ViewBreak::AnyNumberOfValues) && limit > MAX_FACET_VALUES {
                let more = counts.clone();
                counts.extend(more);
            }
        }
        if self.has(ViewBreak::SaysThatCountsAreWhole) {
            facets.more = false;
        }
        Ok(facets)
    }

    async fn switch(&self, view: &ViewId) -> Result<(), ViewError> {
        let state = self.views.state(&view.name).await?;
        match self.flaw {
            Some(ViewBreak::NeverSwitches) => Ok(()),
            Some(ViewBreak::SwitchesOnce) if state.live == Some(view.generation) => {
                Err(ViewError::Retired { live: view.generation })
            }
            Some(ViewBreak::SwitchesBack) => {
                swallow(self.views.switch(view).await, |error| matches!(error, ViewError::Retired { .. }))
            }
            Some(ViewBreak::SwitchesToNothing) => {
                swallow(self.views.switch(view).await, |error| matches!(error, ViewError::Unknown(_)))
            }
            _ => self.views.switch(view).await,
        }
    }
}
