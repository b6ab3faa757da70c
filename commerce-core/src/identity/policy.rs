//! The decision whether somebody may do something.

use super::principal::{Principal, Role};
use crate::kernel::aggregate::Permission;
use crate::value::actor::Owner;

/// The actor may not do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denied {
    /// The permission is not among the effective ones.
    #[error("{permission} is not permitted")]
    Permission {
        /// What was asked for.
        permission: Permission,
    },
    /// Other aggregates have to follow the command: an operation of the facade carries it out with them.
    #[error("{permission} is permitted as a part of an operation only")]
    NotAlone {
        /// What was asked for.
        permission: Permission,
    },
    /// The thing belongs to somebody else.
    #[error("{permission} is permitted on one's own only")]
    NotOwner {
        /// What was asked for.
        permission: Permission,
    },
}

/// Decides whether the principal may do something, to a thing of this owner where there is one.
///
/// `None` is for what belongs to nobody in particular, such as looking at a published product. Staff and
/// the system pass the check of ownership, not that of permissions denied to them.
///
/// # Errors
///
/// [`Denied`].
pub fn authorise(principal: &Principal, permission: Permission, owner: Option<Owner>) -> Result<(), Denied> {
    if !principal.may(permission) {
        return Err(Denied::Permission { permission });
    }
    let own = owner.is_none_or(|owner| owner.is(principal.actor()));
    if principal.role() == Role::Admin || own { Ok(()) } else { Err(Denied::NotOwner { permission }) }
}
