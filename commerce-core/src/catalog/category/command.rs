//! What can be asked of the tree.

use super::state::CategoryTree;
use crate::kernel::aggregate::{Aggregate, Command, Permission};
use crate::value::id::CategoryId;
use crate::value::{Name, Slug};
use serde::Serialize;

/// What can be asked of the tree.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub enum CategoryCommand {
    /// Adds a category.
    Create {
        /// Its id.
        category: CategoryId,
        /// Its name.
        name: Name,
        /// Its place on the web, unique in the tree.
        slug: Slug,
        /// Above it; a root where there is none.
        parent: Option<CategoryId>,
        /// Its place among its siblings.
        sort: i32,
    },
    /// Changes name and slug.
    Rename {
        /// Which.
        category: CategoryId,
        /// Its name.
        name: Name,
        /// Its place on the web, unique in the tree.
        slug: Slug,
    },
    /// Moves it, with all below it.
    Move {
        /// Which.
        category: CategoryId,
        /// Above it; a root where there is none.
        parent: Option<CategoryId>,
        /// Its place among its siblings.
        sort: i32,
    },
    /// Deletes it and hands children and products to a successor.
    Delete {
        /// Which.
        category: CategoryId,
        /// To whom; the parent where nobody is named. A root needs one.
        successor: Option<CategoryId>,
    },
}

impl Command for CategoryCommand {
    type Target = CategoryTree;

    fn permission(&self) -> Permission {
        let action = match self {
            Self::Create { .. } => "create",
            Self::Rename { .. } => "rename",
            Self::Move { .. } => "move",
            Self::Delete { .. } => "delete",
        };
        Permission::new(CategoryTree::NAME, action)
    }
}
