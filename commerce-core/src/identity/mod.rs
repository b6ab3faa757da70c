//! Who may do what.
//!
//! The embedding application authenticates; it hands over a [`Principal`]: an actor, and the permissions
//! granted or denied to them beyond their role. The [table](permission::TABLE) says which role is the
//! least that may give a command, and [`authorise`] decides. Nothing is stored here.
//!
//! # Invariants
//!
//! - identity-2: effective permissions = those of the role ∪ grants − denies; more grants never permit
//!   less; what a guest may, a user may, what a user may, a seller may, and staff may everything.
//! - identity-3: the check is total and denies by default; what the table does not know, only staff and
//!   the system may do.
//! - identity-4: guests, users and sellers reach only what is their own.

pub mod permission;
pub mod policy;
pub mod principal;
#[cfg(test)]
mod properties;

pub use permission::{find, least_role};
pub use policy::{Denied, authorise};
pub use principal::{Principal, Role};
