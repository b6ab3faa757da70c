//! Ports that a test controls.

mod broker;
mod clock;
pub mod gateway;
mod ids;
mod notifier;

pub use broker::{Broker, Delivery};
pub use clock::{Clock, START, Sleeper};
pub use gateway::{Behaviour, Gateway};
pub use ids::Ids;
pub(crate) use ids::mix;
pub use notifier::{Outbox, Reception};
