//! An actor with their permissions.

use std::collections::BTreeSet;

use super::permission::least_role;
use crate::kernel::aggregate::Permission;
use crate::value::actor::Actor;

/// What an actor is; each role may do everything that the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Somebody who is not logged in.
    Guest,
    /// A customer.
    User,
    /// A seller.
    Seller,
    /// Staff, and the library itself.
    Admin,
}

impl Role {
    /// The role of an actor; the system acts with the permissions of the staff.
    pub const fn of(actor: Actor) -> Self {
        match actor {
            Actor::Guest(_) => Self::Guest,
            Actor::User(_) => Self::User,
            Actor::Seller(_) => Self::Seller,
            Actor::Admin(_) | Actor::System => Self::Admin,
        }
    }
}

/// Who gives a command, with what is granted or denied to them beyond their role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    actor: Actor,
    grants: BTreeSet<Permission>,
    denies: BTreeSet<Permission>,
}

impl Principal {
    /// The actor with the permissions of their role.
    pub const fn new(actor: Actor) -> Self {
        Self { actor, grants: BTreeSet::new(), denies: BTreeSet::new() }
    }

    /// The library itself.
    pub const fn system() -> Self {
        Self::new(Actor::System)
    }

    /// Grants a permission beyond the role. Ownership is still checked.
    #[must_use]
    pub fn grant(mut self, permission: Permission) -> Self {
        self.grants.insert(permission);
        self
    }

    /// Denies a permission, also against the role and the grants. The system cannot be denied anything.
    #[must_use]
    pub fn deny(mut self, permission: Permission) -> Self {
        self.denies.insert(permission);
        self
    }

    /// Who acts.
    pub const fn actor(&self) -> Actor {
        self.actor
    }

    /// What they are.
    pub const fn role(&self) -> Role {
        Role::of(self.actor)
    }

    /// Whether the permission is among the effective ones: role ∪ grants − denies.
    pub fn may(&self, permission: Permission) -> bool {
        let denied = self.denies.contains(&permission) && self.actor != Actor::System;
        !denied && (self.role() >= least_role(permission) || self.grants.contains(&permission))
    }
}

impl From<Actor> for Principal {
    fn from(actor: Actor) -> Self {
        Self::new(actor)
    }
}
