//! Histories: what happened to an aggregate, made by deciding generated commands.
//!
//! Every event was decided by the aggregate itself, so a history is valid by construction, also while it
//! shrinks: shrinking drops commands, and the rest is decided anew.

mod carts;
mod catalog;
mod checkout;
mod customers;
mod edits;
mod imports;
mod inventory;
mod messaging;
mod notifications;
mod orders;
mod payments;
mod promotions;
mod returns;
mod settings;
mod shipping;

use std::fmt;
use std::time::Duration;

use commerce_core::kernel::aggregate::Aggregate;
use commerce_core::kernel::replay::fold;
use commerce_core::value::actor::Actor;
use commerce_core::value::id::Id;
use commerce_core::value::time::Timestamp;
use commerce_core::value::{
    Address, AddressInput, Code, Currency, Email, Money, Name, Quantity, Reason, Sku,
};
use proptest::collection::vec;
use proptest::prelude::{BoxedStrategy, Strategy, prop_oneof};
use proptest::sample::select;
use uuid::Uuid;

use super::value;
use crate::fake::START;

/// An aggregate whose histories can be made: all of the library, and yours.
///
/// Commands need not be accepted: those that are refused leave no event. They should meet one another, so
/// ids are drawn from few, see [`few`].
pub trait Storied: Aggregate {
    /// A command that begins an aggregate.
    fn begins() -> BoxedStrategy<Self::Command>;

    /// A command that comes later.
    fn continues() -> BoxedStrategy<Self::Command>;

    /// Fills in what a command can only know from the state that it meets, such as a price or a number.
    fn meets(state: Option<&Self>, command: Self::Command) -> Self::Command {
        let _ = state;
        command
    }
}

/// What happened to an aggregate, and what was asked of it.
pub struct History<A: Aggregate> {
    /// Every event with the time at which it was decided.
    pub events: Vec<(Timestamp, A::Event)>,
    /// Where they lead.
    pub state: Option<A>,
    /// How many commands were refused.
    pub refused: usize,
    /// How many commands changed nothing.
    pub idle: usize,
}

impl<A: Aggregate> History<A> {
    /// The events without their times.
    pub fn events(&self) -> impl Iterator<Item = &A::Event> {
        self.events.iter().map(|(_, event)| event)
    }

    fn of(commands: impl IntoIterator<Item = (A::Command, Duration)>) -> Self
    where
        A: Storied,
    {
        let mut history = Self { events: Vec::new(), state: None, refused: 0, idle: 0 };
        let mut now = START;
        for (command, wait) in commands {
            now = now.plus(wait);
            let command = A::meets(history.state.as_ref(), command);
            match A::decide(history.state.as_ref(), command, now) {
                Err(_) => history.refused += 1,
                Ok(events) if events.is_empty() => history.idle += 1,
                // What does not fold is found by whoever folds the history.
                Ok(events) => {
                    if let Ok(state) = fold(history.state.take(), &events) {
                        history.state = state;
                    }
                    history.events.extend(events.into_iter().map(|event| (now, event)));
                }
            }
        }
        history
    }
}

impl<A: Aggregate> fmt::Debug for History<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History")
            .field("events", &self.events)
            .field("refused", &self.refused)
            .field("idle", &self.idle)
            .finish_non_exhaustive()
    }
}

/// A history of up to thirty commands.
///
/// ```
/// use commerce_core::kernel::replay::fold;
/// use commerce_core::orders::Order;
/// use commerce_testkit::strategy::history;
/// use proptest::prelude::*;
///
/// proptest!(|(history in history::history::<Order>())| {
///     // A projection of yours would be fed here.
///     let names: Vec<_> = history.events().collect();
///     prop_assert!(fold::<Order>(None, names).is_ok());
/// });
/// ```
pub fn history<A: Storied>() -> impl Strategy<Value = History<A>> {
    let rest = vec((A::continues(), wait()), 0..30);
    (A::begins(), rest)
        .prop_map(|(first, rest)| History::of([(first, Duration::ZERO)].into_iter().chain(rest)))
}

/// Commands and the pauses in front of them, of which the first begins. Before one is decided it has to be
/// [told what it meets](Storied::meets).
pub fn commands<A: Storied>() -> impl Strategy<Value = Vec<(Duration, A::Command)>> {
    let rest = vec((wait(), A::continues()), 0..30);
    (A::begins(), rest).prop_map(|(first, rest)| [(Duration::ZERO, first)].into_iter().chain(rest).collect())
}

/// Commands with whoever gives them, of which the first begins.
pub fn requests<A: Storied>() -> impl Strategy<Value = Vec<(Actor, A::Command)>> {
    let rest = vec((value::actor(), A::continues()), 0..30);
    (value::actor(), A::begins(), rest)
        .prop_map(|(actor, first, rest)| [(actor, first)].into_iter().chain(rest).collect())
}

/// One of three ids of a kind, so that commands meet.
pub fn few<T: 'static>() -> impl Strategy<Value = Id<T>> {
    (0_u8..3).prop_map(|number| Id::derived(Uuid::from_u128(3), &[number]))
}

/// The first of the ids of [`few`] mostly.
fn mostly_first<T: 'static>() -> impl Strategy<Value = Id<T>> {
    prop_oneof![3 => (0_u8..1).prop_map(nth), 1 => few()]
}

/// The id with this number of those that [`few`] draws.
pub fn nth<T>(number: u8) -> Id<T> {
    Id::derived(Uuid::from_u128(3), &[number])
}

/// A pause between two commands: none, minutes or days.
fn wait() -> impl Strategy<Value = Duration> {
    prop_oneof![2 => 0_u64..2, 4 => 0_u64..1200, 1 => 0_u64..800_000].prop_map(Duration::from_secs)
}

/// A time within two days of [`START`].
fn soon() -> impl Strategy<Value = Timestamp> {
    (0_u64..172_800).prop_map(|seconds| START.plus(Duration::from_secs(seconds)))
}

/// One of a few reasons.
fn reason() -> impl Strategy<Value = Reason> {
    select(vec!["changed their mind", "zu spät", "壊れた 🛒"])
        .prop_filter_map("a reason", |text| Reason::new(text).ok())
}

/// One of a few e-mail addresses.
fn email() -> impl Strategy<Value = Email> {
    select(vec!["a@example.com", "b@example.com", "ü@example.org"])
        .prop_filter_map("an address", |text| Email::new(text).ok())
}

/// One of a few addresses.
fn address() -> impl Strategy<Value = Address> {
    let places = vec![("Heidestraße 17", "Köln", "51147", "DE"), ("Rue de Rivoli 1", "Paris", "75001", "FR")];
    select(places).prop_filter_map("an address", |(line, city, postcode, country)| {
        let input = AddressInput {
            recipient: "Erika Mustermann".to_owned(),
            line1: line.to_owned(),
            line2: None,
            city: city.to_owned(),
            region: None,
            postcode: Some(postcode.to_owned()),
            country: country.to_owned(),
            phone: None,
        };
        Address::new(&input).ok()
    })
}

/// One of a few names.
fn name() -> impl Strategy<Value = Name> {
    select(vec!["Mug", "Tasse für Zwei", "マグカップ"]).prop_filter_map("a name", |text| Name::new(text).ok())
}

/// A few units, one mostly.
fn units() -> impl Strategy<Value = Quantity> {
    prop_oneof![3 => 1_u32..2, 2 => 1_u32..7].prop_filter_map("a quantity", |units| Quantity::new(units).ok())
}

/// One of a few codes.
fn code() -> impl Strategy<Value = Code> {
    select(vec!["a", "b", "standard"]).prop_filter_map("a code", |text| Code::new(text).ok())
}

/// One of a few SKUs.
fn sku() -> impl Strategy<Value = Sku> {
    select(vec!["MUG", "CAP", "PEN"]).prop_filter_map("a sku", |text| Sku::new(text).ok())
}

/// An amount of euros, positive.
fn euros() -> impl Strategy<Value = Money> {
    (1_i64..3000).prop_map(|minor| Money::from_minor(minor, Currency::EUR))
}
