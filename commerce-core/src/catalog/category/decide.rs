//! What a command leads to.

use std::collections::BTreeMap;

use super::command::CategoryCommand;
use super::error::CategoryError;
use super::event::CategoryEvent;
use super::state::{Category, CategoryTree};
use crate::value::Slug;
use crate::value::id::CategoryId;

type Decision = Result<Vec<CategoryEvent>, CategoryError>;

const MAX_CATEGORIES: usize = 10_000;
const MAX_LEVELS: usize = 16;

pub(super) fn decide(tree: &CategoryTree, command: CategoryCommand) -> Decision {
    match command {
        CategoryCommand::Create { category, name, slug, parent, sort } => {
            if tree.categories.contains_key(&category) || tree.successors.contains_key(&category) {
                return Err(CategoryError::AlreadyExists { category });
            }
            if tree.categories.len() >= MAX_CATEGORIES {
                return Err(CategoryError::TooMany { max: MAX_CATEGORIES });
            }
            tree.slug_free(category, &slug)?;
            if tree.levels_above(parent)? >= MAX_LEVELS {
                return Err(CategoryError::TooDeep { max: MAX_LEVELS });
            }
            Ok(vec![CategoryEvent::Created { category, name, slug, parent, sort }])
        }
        CategoryCommand::Rename { category, name, slug } => {
            let known = tree.living(category)?;
            tree.slug_free(category, &slug)?;
            if known.name == name && known.slug == slug {
                return Ok(Vec::new());
            }
            Ok(vec![CategoryEvent::Renamed { category, name, slug }])
        }
        CategoryCommand::Move { category, parent, sort } => tree.move_below(category, parent, sort),
        CategoryCommand::Delete { category, successor } => tree.delete(category, successor),
    }
}

impl CategoryTree {
    fn living(&self, category: CategoryId) -> Result<&Category, CategoryError> {
        self.categories.get(&category).ok_or(CategoryError::NotFound { category })
    }

    fn slug_free(&self, category: CategoryId, slug: &Slug) -> Result<(), CategoryError> {
        if self.categories.iter().any(|(id, known)| *id != category && known.slug == *slug) {
            return Err(CategoryError::SlugTaken { slug: slug.clone() });
        }
        Ok(())
    }

    /// How many levels stand above a child of this parent.
    fn levels_above(&self, parent: Option<CategoryId>) -> Result<usize, CategoryError> {
        let Some(parent) = parent else { return Ok(0) };
        self.living(parent)?;
        Ok(self.upwards(parent).count())
    }

    /// Checks that a category with all below it may stand below this parent.
    fn fits(&self, category: CategoryId, parent: Option<CategoryId>) -> Result<(), CategoryError> {
        let above = self.levels_above(parent)?;
        if parent.is_some_and(|parent| self.upwards(parent).any(|known| known == category)) {
            return Err(CategoryError::Cycle { category });
        }
        if above + self.height(category) > MAX_LEVELS {
            return Err(CategoryError::TooDeep { max: MAX_LEVELS });
        }
        Ok(())
    }

    /// How many levels a category and all below it have.
    fn height(&self, category: CategoryId) -> usize {
        let mut below: BTreeMap<CategoryId, Vec<CategoryId>> = BTreeMap::new();
        for (id, known) in &self.categories {
            if let Some(parent) = known.parent {
                below.entry(parent).or_default().push(*id);
            }
        }
        let (mut level, mut height) = (vec![category], 0);
        while !level.is_empty() && height <= MAX_LEVELS {
            height += 1;
            level = level.iter().filter_map(|id| below.get(id)).flatten().copied().collect();
        }
        height
    }

    fn move_below(&self, category: CategoryId, parent: Option<CategoryId>, sort: i32) -> Decision {
        let known = self.living(category)?;
        self.fits(category, parent)?;
        if known.parent == parent && known.sort == sort {
            return Ok(Vec::new());
        }
        Ok(vec![CategoryEvent::Moved { category, old: known.parent, new: parent, sort }])
    }

    fn delete(&self, category: CategoryId, successor: Option<CategoryId>) -> Decision {
        if self.successors.contains_key(&category) {
            return Ok(Vec::new());
        }
        let known = self.living(category)?;
        let successor = successor.or(known.parent).ok_or(CategoryError::NoSuccessor { category })?;
        self.living(successor)?;
        if self.upwards(successor).any(|above| above == category) {
            return Err(CategoryError::Cycle { category });
        }
        for child in self.children(Some(category)) {
            self.fits(child, Some(successor))?;
        }
        Ok(vec![CategoryEvent::Deleted { category, successor }])
    }
}
