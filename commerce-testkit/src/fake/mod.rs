//! Ports that a test controls.

mod broker;
mod carrier;
mod clock;
pub mod gateway;
mod ids;
mod notifier;
mod tax;

pub use broker::{Broker, Delivery};
pub use carrier::{Carrier, Offer};
pub use clock::{Clock, START, Sleeper};
pub use gateway::{Behaviour, Gateway};
pub use ids::Ids;
pub(crate) use ids::mix;
pub use notifier::{Outbox, Reception};
pub use tax::{Levy, TaxTable};
