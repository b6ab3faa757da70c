//! What can happen to the tree.

use serde::{Deserialize, Serialize};

use crate::value::id::CategoryId;
use crate::value::{Name, Slug};

/// What can happen to the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CategoryEvent {
    /// A category was added.
    Created {
        /// Which.
        category: CategoryId,
        /// Its name.
        name: Name,
        /// Its place on the web.
        slug: Slug,
        /// Above it.
        parent: Option<CategoryId>,
        /// Its place among its siblings.
        sort: i32,
    },
    /// Name or slug changed.
    Renamed {
        /// Which.
        category: CategoryId,
        /// Its name.
        name: Name,
        /// Its place on the web.
        slug: Slug,
    },
    /// A category moved, with all below it.
    Moved {
        /// Which.
        category: CategoryId,
        /// Above it before.
        old: Option<CategoryId>,
        /// Above it now.
        new: Option<CategoryId>,
        /// Its place among its siblings.
        sort: i32,
    },
    /// A category was deleted; its children and products belong to the successor.
    Deleted {
        /// Which.
        category: CategoryId,
        /// To whom.
        successor: CategoryId,
    },
}

crate::event_types! {
    CategoryEvent {
        Created => "CategoryCreated" v1,
        Renamed => "CategoryRenamed" v1,
        Moved => "CategoryMoved" v1,
        Deleted => "CategoryDeleted" v1,
    }
}
