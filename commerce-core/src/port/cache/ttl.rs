//! How long entries are kept unless the host says otherwise: the table of the source documents.

use std::time::Duration;

const MINUTE: u64 = 60;

/// A customer's profile.
pub const PROFILE: Duration = Duration::from_secs(30 * MINUTE);
/// A product.
pub const PRODUCT: Duration = Duration::from_secs(60 * MINUTE);
/// A page of a list.
pub const LIST: Duration = Duration::from_secs(15 * MINUTE);
/// The tree of categories.
pub const CATEGORY_TREE: Duration = Duration::from_secs(120 * MINUTE);
/// A level of stock, for show only.
pub const STOCK: Duration = Duration::from_secs(5 * MINUTE);
/// The cart of a session: as long as the session, see [`session`](crate::port::session).
pub const CART: Duration = crate::port::session::IDLE;
/// That there is nothing: short, because it may be made at any moment.
pub const ABSENT: Duration = Duration::from_secs(30);
