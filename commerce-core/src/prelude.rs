//! What most hosts need, in one `use`.

pub use crate::app::callback::{CallbackOutcome, PaymentCallbackError};
pub use crate::app::checkout::{CheckoutReceipt, CheckoutRequest, CheckoutStatus};
pub use crate::app::commerce::{Commerce, Platform};
pub use crate::app::error::CommandError;
pub use crate::app::execute::Executed;
pub use crate::app::query::{ById, ByKey, Query};
pub use crate::app::shopfront::Listing;
pub use crate::carts::CartCommand;
pub use crate::catalog::{Product, ProductCommand};
pub use crate::checkout::CheckoutError;
pub use crate::customers::{Customer, CustomerCommand};
pub use crate::event_types;
pub use crate::identity::Principal;
pub use crate::inventory::{StockCommand, StockPolicy};
pub use crate::kernel::aggregate::{Aggregate, Command, EvolveError, Permission};
pub use crate::kernel::effects::Effects;
pub use crate::kernel::error::{Effect, ErrorClass, PortError, PortErrorKind};
pub use crate::kernel::event::DomainEvent;
pub use crate::kernel::personal::Personal;
pub use crate::orders::{Order, OrderCommand, OrderStatus};
pub use crate::promotions::{Promotion, PromotionCommand};
pub use crate::settings::{SettingsCommand, SettingsValues};
pub use crate::value::actor::{Actor, Owner};
pub use crate::value::id::*;
pub use crate::value::time::Timestamp;
pub use crate::value::{
    Address, AddressInput, Currency, Email, Money, Name, Phone, Price, Quantity, Rate, Sku,
};
