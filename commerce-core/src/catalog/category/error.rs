//! Why something asked of the tree is refused.

use crate::value::Slug;
use crate::value::id::CategoryId;

/// Why something asked of the tree is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CategoryError {
    /// There is no such category, or it was deleted.
    #[error("no category {category}")]
    NotFound {
        /// Which.
        category: CategoryId,
    },
    /// The id is or was in use.
    #[error("category {category} exists already")]
    AlreadyExists {
        /// Which.
        category: CategoryId,
    },
    /// Another category has the slug.
    #[error("slug {slug} is used by another category")]
    SlugTaken {
        /// Which.
        slug: Slug,
    },
    /// A category would come to stand below itself.
    #[error("category {category} would stand below itself")]
    Cycle {
        /// Which.
        category: CategoryId,
    },
    /// A root was to be deleted without a successor.
    #[error("category {category} has no parent, name a successor")]
    NoSuccessor {
        /// Which.
        category: CategoryId,
    },
    /// The tree would become too deep.
    #[error("no more than {max} levels of categories")]
    TooDeep {
        /// How many levels there may be.
        max: usize,
    },
    /// The tree is full.
    #[error("no more than {max} categories")]
    TooMany {
        /// How many there may be.
        max: usize,
    },
}
