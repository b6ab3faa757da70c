//! The tree, folded from what happened.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::command::CategoryCommand;
use super::decide;
use super::error::CategoryError;
use super::event::CategoryEvent;
use crate::kernel::aggregate::{Aggregate, EvolveError};
use crate::value::id::{CategoryId, Id};
use crate::value::time::Timestamp;
use crate::value::{Name, Slug};

/// A category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// Its name.
    pub name: Name,
    /// Its place on the web.
    pub slug: Slug,
    /// Above it; a root where there is none.
    pub parent: Option<CategoryId>,
    /// Its place among its siblings.
    pub sort: i32,
}

/// All categories of a shop. The invariants are those of the [context](crate::catalog).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryTree {
    pub(super) categories: BTreeMap<CategoryId, Category>,
    /// Deleted categories, each with the living one that took its place.
    pub(super) successors: BTreeMap<CategoryId, CategoryId>,
}

impl CategoryTree {
    /// The id of a shop's tree.
    pub fn id(shop: Uuid) -> Id<Self> {
        Id::derived(shop, b"category_tree")
    }

    /// The living categories.
    pub const fn categories(&self) -> &BTreeMap<CategoryId, Category> {
        &self.categories
    }

    /// Where a category is today: itself, or the one that took its place.
    pub fn resolve(&self, category: CategoryId) -> Option<CategoryId> {
        if self.categories.contains_key(&category) {
            return Some(category);
        }
        self.successors.get(&category).copied()
    }

    /// The guard for products: every one of these categories is living.
    ///
    /// # Errors
    ///
    /// [`CategoryError::NotFound`] for the first that is not.
    pub fn check<'c>(
        &self,
        categories: impl IntoIterator<Item = &'c CategoryId>,
    ) -> Result<(), CategoryError> {
        match categories.into_iter().find(|category| !self.categories.contains_key(category)) {
            Some(category) => Err(CategoryError::NotFound { category: *category }),
            None => Ok(()),
        }
    }

    /// The way from the root to a category, itself included; empty where there is none.
    pub fn path(&self, category: CategoryId) -> Vec<CategoryId> {
        let mut path: Vec<CategoryId> = self.upwards(category).collect();
        path.reverse();
        path
    }

    /// The categories of a product with all that stand above them, as promotions look at them.
    pub fn with_ancestors<'c>(
        &self,
        categories: impl IntoIterator<Item = &'c CategoryId>,
    ) -> BTreeSet<CategoryId> {
        let living = categories.into_iter().filter_map(|category| self.resolve(*category));
        living.flat_map(|category| self.upwards(category)).collect()
    }

    /// The categories directly below one, or the roots, in their order.
    pub fn children(&self, parent: Option<CategoryId>) -> Vec<CategoryId> {
        let mut below: Vec<_> = self.categories.iter().filter(|(_, known)| known.parent == parent).collect();
        below.sort_by_key(|(id, known)| (known.sort, **id));
        below.into_iter().map(|(id, _)| *id).collect()
    }

    /// From a category to its root. Ends also where a damaged stream made a cycle.
    pub(super) fn upwards(&self, category: CategoryId) -> impl Iterator<Item = CategoryId> {
        let start = self.categories.contains_key(&category).then_some(category);
        let up = |below: &CategoryId| self.categories.get(below).and_then(|known| known.parent);
        std::iter::successors(start, up).take(self.categories.len())
    }

    fn apply(&mut self, event: &CategoryEvent) -> Option<()> {
        match event {
            CategoryEvent::Created { category, name, slug, parent, sort } => {
                let (name, slug) = (name.clone(), slug.clone());
                let added = Category { name, slug, parent: *parent, sort: *sort };
                if self.categories.insert(*category, added).is_some() {
                    return None;
                }
            }
            CategoryEvent::Renamed { category, name, slug } => {
                let known = self.categories.get_mut(category)?;
                known.name = name.clone();
                known.slug = slug.clone();
            }
            CategoryEvent::Moved { category, new, sort, .. } => {
                let known = self.categories.get_mut(category)?;
                known.parent = *new;
                known.sort = *sort;
            }
            CategoryEvent::Deleted { category, successor } => {
                self.categories.remove(category)?;
                for known in self.categories.values_mut().filter(|known| known.parent == Some(*category)) {
                    known.parent = Some(*successor);
                }
                for heir in self.successors.values_mut().filter(|heir| *heir == category) {
                    *heir = *successor;
                }
                self.successors.insert(*category, *successor);
            }
        }
        Some(())
    }
}

impl Aggregate for CategoryTree {
    const NAME: &'static str = "category_tree";

    type Root = Self;
    type Command = CategoryCommand;
    type Event = CategoryEvent;
    type Error = CategoryError;

    fn decide(
        state: Option<&Self>,
        command: CategoryCommand,
        _now: Timestamp,
    ) -> Result<Vec<CategoryEvent>, CategoryError> {
        // A shop without categories has an empty tree.
        let empty = Self::default();
        decide::decide(state.unwrap_or(&empty), command)
    }

    fn evolve(state: Option<Self>, event: &CategoryEvent) -> Result<Self, EvolveError> {
        let mut tree = state.unwrap_or_default();
        tree.apply(event).ok_or_else(|| EvolveError::of(event))?;
        Ok(tree)
    }
}
