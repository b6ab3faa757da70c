//! Ports that a test controls.

mod clock;
mod ids;

pub use clock::{Clock, START, Sleeper};
pub use ids::Ids;
pub(crate) use ids::mix;
