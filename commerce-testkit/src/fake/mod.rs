//! Ports that a test controls.

mod clock;
pub mod gateway;
mod ids;

pub use clock::{Clock, START, Sleeper};
pub use gateway::{Behaviour, Gateway};
pub use ids::Ids;
pub(crate) use ids::mix;
