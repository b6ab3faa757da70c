//! Values: small, valid by construction, without identity.
//!
//! Every type here has private fields and one fallible constructor; `Deserialize` goes through it. The
//! plain data that crosses between contexts lives here too, because contexts never import each other.

pub mod actor;
pub mod id;
pub mod time;

// Text, persons and places.
pub mod address;
pub mod country;
pub mod email;
#[cfg(test)]
mod person_properties;
pub mod phone;
pub mod postcode;
pub mod slug;
pub mod text;

pub use address::{Address, AddressInput, InvalidAddress};
pub use country::{Country, InvalidCountry};
pub use email::{Email, InvalidEmail};
pub use phone::{InvalidPhone, Phone};
pub use postcode::InvalidPostcode;
pub use slug::{InvalidSlug, Slug};
pub use text::{Code, Description, InvalidText, Name, PersonName, Reason, Text};
