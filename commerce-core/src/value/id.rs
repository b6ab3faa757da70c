//! Typed identifiers: a UUID that knows what it identifies.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// Identifies one thing of type `T`.
///
/// `T` is a marker or an aggregate and is never stored: an `Id<Order>` cannot be passed where an
/// `Id<Cart>` is wanted. The nil UUID is not an id.
///
/// New ids are v7-shaped (time-ordered) and come from the `Ids` port; ids that follow from other
/// data are [derived](Self::derived) (UUID version 5), so that deciding twice gives the same id.
pub struct Id<T> {
    uuid: Uuid,
    marker: PhantomData<fn() -> T>,
}

/// The text or bytes are not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidId {
    /// The nil UUID names nothing.
    #[error("the nil uuid is not an id")]
    Nil,
    /// Not the text of a UUID.
    #[error("not a uuid")]
    Malformed,
}

impl<T> Id<T> {
    /// Takes a UUID made elsewhere.
    ///
    /// # Errors
    ///
    /// [`InvalidId::Nil`] for the nil UUID.
    pub const fn from_uuid(uuid: Uuid) -> Result<Self, InvalidId> {
        if uuid.is_nil() { Err(InvalidId::Nil) } else { Ok(Self { uuid, marker: PhantomData }) }
    }

    /// Derives an id from a namespace and a name: equal input gives an equal id (UUID version 5).
    pub fn derived(namespace: Uuid, name: &[u8]) -> Self {
        Self { uuid: Uuid::new_v5(&namespace, name), marker: PhantomData }
    }

    /// The UUID itself.
    pub const fn uuid(self) -> Uuid {
        self.uuid
    }

    /// The same UUID as the id of something else, where two things share their identity by design.
    pub const fn cast<U>(self) -> Id<U> {
        Id { uuid: self.uuid, marker: PhantomData }
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}
impl<T> Eq for Id<T> {}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.uuid.cmp(&other.uuid)
    }
}
impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}
impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({})", self.uuid)
    }
}
impl<T> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.uuid, f)
    }
}
impl<T> FromStr for Id<T> {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Uuid::from_str(text).map_err(|_| InvalidId::Malformed).and_then(Self::from_uuid)
    }
}
impl<T> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.uuid.serialize(serializer)
    }
}
impl<'de, T> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let uuid = Uuid::deserialize(deserializer)?;
        Self::from_uuid(uuid).map_err(serde::de::Error::custom)
    }
}

macro_rules! markers {
    ($($name:ident => $alias:ident: $what:literal),* $(,)?) => {
        /// What the ids of all contexts identify; never instantiated.
        pub mod marker {
            $(
                #[doc = concat!("Marks the id of ", $what, ".")]
                #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
                pub enum $name {}
            )*
        }
        $(
            #[doc = concat!("Identifies ", $what, ".")]
            pub type $alias = Id<marker::$name>;
        )*
    };
}

markers! {
    Address => AddressId: "an address of a customer",
    Brand => BrandId: "a brand",
    Cart => CartId: "a cart",
    CartLine => CartLineId: "a line of a cart",
    Category => CategoryId: "a category",
    Checkout => CheckoutId: "a checkout, which is a saga",
    Command => CommandId: "a command, so that a repeat can be told from a second request",
    Customer => CustomerId: "a customer",
    Location => LocationId: "a place where stock is kept",
    Notification => NotificationId: "a message to a recipient",
    Order => OrderId: "an order",
    OrderEdit => OrderEditId: "an edit of an order",
    OrderLine => OrderLineId: "a line of an order",
    Payment => PaymentId: "an attempt to pay",
    Product => ProductId: "a product",
    Promotion => PromotionId: "a promotion",
    Redemption => RedemptionId: "a use of a promotion by one order",
    Refund => RefundId: "a refund",
    Reservation => ReservationId: "a reservation of stock",
    Return => ReturnId: "a return",
    Seller => SellerId: "a seller",
    Settings => SettingsId: "the settings of a shop",
    Shipment => ShipmentId: "a shipment",
    Staff => StaffId: "a member of the staff",
    StockItem => StockItemId: "the stock of one SKU at one location",
    Subject => SubjectId: "a data subject, a person to whom personal data belongs",
    Variant => VariantId: "a variant of a product",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nil_uuid_is_refused_everywhere() {
        assert_eq!(OrderId::from_uuid(Uuid::nil()), Err(InvalidId::Nil));
        assert_eq!("00000000-0000-0000-0000-000000000000".parse::<OrderId>(), Err(InvalidId::Nil));
        assert!(serde_json::from_str::<OrderId>("\"00000000-0000-0000-0000-000000000000\"").is_err());
        assert_eq!("not".parse::<OrderId>(), Err(InvalidId::Malformed));
    }

    #[test]
    fn derived_ids_follow_from_their_input() {
        let namespace = Uuid::from_u128(7);
        assert_eq!(OrderId::derived(namespace, b"a"), OrderId::derived(namespace, b"a"));
        assert_ne!(OrderId::derived(namespace, b"a"), OrderId::derived(namespace, b"b"));
    }

    #[test]
    fn display_and_parse_round_trip() {
        let id = OrderId::derived(Uuid::from_u128(1), b"x");
        assert_eq!(id.to_string().parse::<OrderId>(), Ok(id));
    }

    #[test]
    fn ids_hash_and_show_what_they_are() {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let hash = |number: u128| {
            let mut hasher = DefaultHasher::new();
            CartId::from_uuid(Uuid::from_u128(number)).unwrap().hash(&mut hasher);
            hasher.finish()
        };
        assert_ne!(hash(1), hash(2));
        let id = CartId::from_uuid(Uuid::from_u128(1)).unwrap();
        assert_eq!(format!("{id:?}"), format!("Id({id})"));
    }
}
