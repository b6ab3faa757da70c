//! Who acts, and to whom a thing belongs.

use serde::{Deserialize, Serialize};

use super::id::{CustomerId, SellerId, StaffId, SubjectId};

/// Who gives a command, as the embedding application has authenticated them.
///
/// Stored in the metadata of every event. Holds ids only, never personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The library itself: sagas, timers, consumers.
    System,
    /// Somebody who is not logged in; the subject is the one of their session.
    Guest(SubjectId),
    /// A customer who is logged in.
    User(CustomerId),
    /// A seller, who sees and keeps what is their own.
    Seller(SellerId),
    /// A member of the staff with every permission.
    Admin(StaffId),
}

impl Actor {
    /// The data subject that this actor is, where it is a person who buys.
    pub const fn subject(self) -> Option<SubjectId> {
        match self {
            Self::Guest(subject) => Some(subject),
            Self::User(customer) => Some(customer.cast()),
            Self::System | Self::Seller(_) | Self::Admin(_) => None,
        }
    }
}

/// To whom a thing belongs: what the ownership check compares with the actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// The shop: nobody but staff and the system may touch it by right of ownership.
    Shop,
    /// A buyer, guest or customer.
    Subject(SubjectId),
    /// A seller.
    Seller(SellerId),
}

impl Owner {
    /// Whether the actor is this owner. Staff and the system pass everywhere.
    pub fn is(self, actor: Actor) -> bool {
        match (self, actor) {
            (_, Actor::System | Actor::Admin(_)) => true,
            (Self::Subject(subject), actor) => actor.subject() == Some(subject),
            (Self::Seller(owner), Actor::Seller(seller)) => owner == seller,
            (Self::Shop | Self::Seller(_), _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn nobody_owns_what_belongs_to_another() {
        let (a, b) = (SubjectId::derived(Uuid::nil(), b"a"), SubjectId::derived(Uuid::nil(), b"b"));
        assert!(Owner::Subject(a).is(Actor::Guest(a)));
        assert!(Owner::Subject(a).is(Actor::User(a.cast())));
        assert!(!Owner::Subject(a).is(Actor::Guest(b)));
        assert!(!Owner::Subject(a).is(Actor::Seller(a.cast())));
        assert!(!Owner::Shop.is(Actor::Guest(a)));
        assert!(Owner::Shop.is(Actor::System));
        assert!(Owner::Seller(a.cast()).is(Actor::Seller(a.cast())));
        assert!(!Owner::Seller(a.cast()).is(Actor::Seller(b.cast())));
    }
}
