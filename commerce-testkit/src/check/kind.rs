//! The kinds of aggregates that a checker can fold.

use std::any::Any;
use std::collections::BTreeMap;

use commerce_core::carts::Cart;
use commerce_core::catalog::{CategoryTree, Product};
use commerce_core::checkout::Checkout;
use commerce_core::customers::Customer;
use commerce_core::imports::{ImportNote, ImportedReturn};
use commerce_core::inventory::{Reservation, StockItem};
use commerce_core::kernel::aggregate::Aggregate;
use commerce_core::kernel::codec::decode;
use commerce_core::kernel::effects::Effects;
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::messaging::{Backlog, ConsumerProgress, DeadLetter, Inbox};
use commerce_core::notifications::Notification;
use commerce_core::orders::{Order, OrderEdit};
use commerce_core::payments::{ParkedCallback, Payment, QuarantinedCallback};
use commerce_core::promotions::{Promotion, Redemption};
use commerce_core::returns::Return;
use commerce_core::settings::ShopSettings;
use commerce_core::shipping::Shipment;
use commerce_core::value::id::Id;

/// A state whose type is that of its stream's kind.
pub(super) type State = Box<dyn Any + Send + Sync>;

/// Folds one event; the effects, or why it does not fit.
pub(super) type Apply = fn(&mut Option<State>, &RecordedEvent) -> Result<Effects, String>;

fn apply<A: Aggregate>(state: &mut Option<State>, recorded: &RecordedEvent) -> Result<Effects, String> {
    let event: A::Event = decode(&recorded.event).map_err(|error| error.to_string())?;
    let id = Id::from_uuid(recorded.stream.id).map_err(|error| error.to_string())?;
    let known = state.take().and_then(|known| known.downcast::<A>().ok()).map(|known| *known);
    let next = A::evolve(known, &event).map_err(|error| error.to_string())?;
    *state = Some(Box::new(next));
    Ok(A::effects(id, &event))
}

/// The kinds that are known, by name.
pub(super) struct Kinds(BTreeMap<&'static str, Apply>);

impl Kinds {
    pub(super) fn know<A: Aggregate>(&mut self) {
        self.0.insert(A::NAME, apply::<A>);
    }

    pub(super) fn get(&self, kind: &str) -> Option<Apply> {
        self.0.get(kind).copied()
    }
}

/// Those of the library.
impl Default for Kinds {
    fn default() -> Self {
        let mut kinds = Self(BTreeMap::new());
        macro_rules! know {
            ($($kind:ty),* $(,)?) => { $( kinds.know::<$kind>(); )* };
        }
        know!(
            Backlog,
            ConsumerProgress,
            DeadLetter,
            Inbox,
            Cart,
            CategoryTree,
            Checkout,
            Customer,
            ImportNote,
            ImportedReturn,
            Notification,
            Order,
            OrderEdit,
            ParkedCallback,
            Payment,
            Product,
            Promotion,
            QuarantinedCallback,
            Redemption,
            Reservation,
            Return,
            Shipment,
            ShopSettings,
            StockItem,
        );
        kinds
    }
}
