//! Customers: who they are, how to reach them, and where to send to.
//!
//! A customer registers with an e-mail address, keeps a profile and an address book, may be deactivated
//! and brought back, and may be erased. Everything personal stands in `Personal` fields, so erasing the
//! subject empties every event; what remains says that there was a customer, not who.
//!
//! The e-mail address is unique through its [`EmailKey`]: a keyed hash, so that the table of unique keys
//! holds no address. Whoever gives the command computes it, because `decide` knows no shop key.
//!
//! Registration takes the id of the customer from the caller. A guest registers under the id of their
//! session's subject, and keeps cart and orders.
//!
//! # Invariants
//!
//! - customers-1: the canonical e-mail address is unique among customers who are not deactivated.
//! - customers-2: e-mail addresses, phone numbers and addresses are checked, and redacted in `Debug`.
//! - customers-3: of the addresses of one kind exactly one is the default, where there is any.
//! - customers-4: the last address is kept or may go, by the policy that the command carries.
//! - customers-5: other contexts copy addresses; a change here changes no copy.
//! - customers-6: an e-mail address changes only with the token sent to the new one, and until then the
//!   old one stays.
//! - customers-9: who is deactivated cannot order; see [`Customer::may_order`].
//! - customers-10: erasing leaves no personal content in state or events.

pub mod command;
mod decide;
pub mod digest;
pub mod error;
pub mod event;
#[cfg(test)]
pub(crate) mod properties;
pub mod state;

pub use command::{CustomerCommand, LastAddress, PhoneChange};
pub use digest::{EmailKey, TokenHash, email_key};
pub use error::CustomerError;
pub use event::{AddressKind, CustomerEvent, ProfileField};
pub use state::{Customer, CustomerStatus, StoredAddress};

/// The scope of unique e-mail addresses.
pub const EMAIL_SCOPE: &str = "customer-email";
