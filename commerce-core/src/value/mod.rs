//! Values: small, valid by construction, without identity.
//!
//! Every type here has private fields and one fallible constructor; `Deserialize` goes through it. The
//! plain data that crosses between contexts lives here too, because contexts never import each other.

pub mod actor;
pub mod id;
pub mod time;
