//! Given some events, when a command comes, then these events or this refusal.
#![allow(clippy::panic)] // a test fails by panicking, that is what this module is for

mod projection;
mod saga;

use std::fmt::{self, Debug, Write as _};
use std::sync::Arc;

use commerce_core::kernel::aggregate::Aggregate;
use commerce_core::kernel::codec::{Encoded, decode, encode, event_type};
use commerce_core::kernel::event::{DomainEvent, EventId, Metadata, NewEvent};
use commerce_core::kernel::replay::fold;
use commerce_core::kernel::stream::Label;
use commerce_core::value::actor::Actor;
use commerce_core::value::time::Timestamp;
use uuid::Uuid;

use crate::fake::START;

pub use projection::{GivenView, given_view};
pub use saga::{GivenCheckout, WentOn, given_checkout};

/// Starts a scenario from what happened before.
///
/// # Panics
///
/// Where the events do not fit one another, or cannot be written and read back.
///
/// # Examples
///
/// ```
/// # use commerce_core::kernel::aggregate::{Aggregate, Command, EvolveError};
/// # use commerce_core::value::time::Timestamp;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Debug, Clone, Serialize, Deserialize)]
/// # struct Switch { on: bool }
/// # #[derive(Debug, Clone, Serialize, Deserialize)]
/// # enum SwitchEvent { TurnedOn }
/// # commerce_core::event_types! { SwitchEvent { TurnedOn => "SwitchTurnedOn" v1 } }
/// # #[derive(Debug, Clone, Serialize)]
/// # enum SwitchCommand { TurnOn }
/// # impl Command for SwitchCommand { type Target = Switch; }
/// # #[derive(Debug, Clone, PartialEq)]
/// # struct AlreadyOn;
/// # impl std::fmt::Display for AlreadyOn {
/// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("already on") }
/// # }
/// # impl std::error::Error for AlreadyOn {}
/// # impl Aggregate for Switch {
/// #     const NAME: &'static str = "switch";
/// #     type Root = Self;
/// #     type Command = SwitchCommand;
/// #     type Event = SwitchEvent;
/// #     type Error = AlreadyOn;
/// #     fn decide(s: Option<&Self>, _: SwitchCommand, _: Timestamp) -> Result<Vec<SwitchEvent>, AlreadyOn> {
/// #         if s.is_some() { Err(AlreadyOn) } else { Ok(vec![SwitchEvent::TurnedOn]) }
/// #     }
/// #     fn evolve(_: Option<Self>, _: &SwitchEvent) -> Result<Self, EvolveError> { Ok(Self { on: true }) }
/// # }
/// use commerce_testkit::given;
///
/// given::<Switch>([]).when(SwitchCommand::TurnOn).then_names(&["SwitchTurnedOn"]);
/// given::<Switch>([SwitchEvent::TurnedOn]).when(SwitchCommand::TurnOn).then_error(AlreadyOn);
/// ```
#[track_caller]
pub fn given<A: Aggregate>(events: impl IntoIterator<Item = A::Event>) -> Given<A> {
    let events: Vec<A::Event> = events.into_iter().collect();
    for event in &events {
        written(event);
    }
    match fold::<A>(None, &events) {
        Ok(state) => Given { state, now: START },
        Err(error) => panic!("the given events do not fit one another: {error}\n{}", listed(&events)),
    }
}

/// What happened before, folded.
#[derive(Debug, Clone)]
pub struct Given<A> {
    state: Option<A>,
    now: Timestamp,
}

impl<A: Aggregate> Given<A> {
    /// The time at which the command comes; [`START`] unless it is set.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    /// The state before the command.
    pub const fn state(&self) -> Option<&A> {
        self.state.as_ref()
    }

    /// Decides a command.
    ///
    /// # Panics
    ///
    /// Where an event that was decided does not fit the state, or cannot be written and read back.
    #[track_caller]
    pub fn when(self, command: A::Command) -> Decided<A> {
        let asked = format!("{command:?}");
        let result = A::decide(self.state.as_ref(), command, self.now);
        let state = match &result {
            Err(_) => self.state,
            Ok(events) => {
                for event in events {
                    written(event);
                }
                match fold(self.state, events) {
                    Ok(state) => state,
                    Err(error) => panic!("{asked} decided what does not fit: {error}\n{}", listed(events)),
                }
            }
        };
        Decided { asked, result, state, now: self.now }
    }
}

/// What came of a command.
#[derive(Debug, Clone)]
#[must_use = "say what should come of the command"]
pub struct Decided<A: Aggregate> {
    asked: String,
    result: Result<Vec<A::Event>, A::Error>,
    state: Option<A>,
    now: Timestamp,
}

impl<A: Aggregate> Decided<A> {
    /// These events, and nothing else.
    ///
    /// # Panics
    ///
    /// Where anything else came of it.
    #[track_caller]
    pub fn then(self, expected: impl IntoIterator<Item = A::Event>) -> Given<A> {
        let expected: Vec<A::Event> = expected.into_iter().collect();
        let events = self.accepted(&listed(&expected));
        let same = events.len() == expected.len()
            && events.iter().zip(&expected).all(|(a, b)| a.name() == b.name() && written(a) == written(b));
        if !same {
            self.fail(&listed(&expected), &listed(events));
        }
        self.and()
    }

    /// Events of these names, in this order.
    ///
    /// # Panics
    ///
    /// Where anything else came of it.
    #[track_caller]
    pub fn then_names(self, expected: &[&str]) -> Given<A> {
        let events = self.accepted(&format!("{expected:#?}"));
        let names: Vec<&str> = events.iter().map(DomainEvent::name).collect();
        if names != expected {
            self.fail(&format!("{expected:#?}"), &listed(events));
        }
        self.and()
    }

    /// Success without any event.
    ///
    /// # Panics
    ///
    /// Where anything else came of it.
    #[track_caller]
    pub fn then_nothing(self) -> Given<A> {
        self.then([])
    }

    /// This refusal.
    ///
    /// # Panics
    ///
    /// Where anything else came of it.
    #[track_caller]
    #[allow(clippy::needless_pass_by_value)] // so that scenarios read without `&`
    pub fn then_error(self, expected: A::Error) -> Given<A>
    where
        A::Error: PartialEq,
    {
        match &self.result {
            Err(error) if *error == expected => {}
            Err(error) => self.fail(&format!("{expected:#?}"), &format!("{error:#?}")),
            Ok(events) => self.fail(&format!("{expected:#?}"), &listed(events)),
        }
        self.and()
    }

    /// The decision itself, for assertions of one's own.
    ///
    /// # Errors
    ///
    /// What the aggregate refused with.
    pub fn into_result(self) -> Result<Vec<A::Event>, A::Error> {
        self.result
    }

    /// Goes on from here.
    pub fn and(self) -> Given<A> {
        Given { state: self.state, now: self.now }
    }

    #[track_caller]
    fn accepted(&self, expected: &str) -> &[A::Event] {
        match &self.result {
            Ok(events) => events,
            Err(error) => self.fail(expected, &format!("refused: {error}\n{error:#?}")),
        }
    }

    #[track_caller]
    fn fail(&self, expected: &str, actual: &str) -> ! {
        panic!("when {}\n{}", self.asked, SideBySide(expected, actual));
    }
}

/// An event as it is stored; panics where it does not come back the same.
#[track_caller]
fn written<E: DomainEvent>(event: &E) -> Encoded {
    let encoded = encode(event).unwrap_or_else(|error| panic!("{error}"));
    let stored = NewEvent {
        id: EventId::derived(Uuid::nil(), b"scenario"),
        name: Label::Borrowed(event.name()),
        schema: event_type::<E>(event.name()).map_or(1, |known| known.schema),
        at: START,
        metadata: Metadata { correlation: Uuid::nil(), causation: None, actor: Actor::System },
        data: Arc::clone(&encoded.data),
        personal: encoded.personal.clone(),
    };
    let back: E = decode(&stored).unwrap_or_else(|error| panic!("it was written but {error}"));
    match encode(&back) {
        Ok(again) if again == encoded => encoded,
        _ => panic!("{} changes when it is written and read back", event.name()),
    }
}

/// Events as pretty JSON under their names; personal values stay out.
fn listed<E: DomainEvent>(events: &[E]) -> String {
    let mut text = String::new();
    for event in events {
        let payload = encode(event)
            .ok()
            .and_then(|encoded| serde_json::from_slice::<serde_json::Value>(&encoded.data).ok())
            .and_then(|json| serde_json::to_string_pretty(&json).ok());
        let _ = writeln!(text, "{} {}", event.name(), payload.unwrap_or_default());
    }
    if text.is_empty() { "no events".to_owned() } else { text }
}

/// Two texts beside each other; lines that differ are marked.
struct SideBySide<'t>(&'t str, &'t str);

impl fmt::Display for SideBySide<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (left, right): (Vec<&str>, Vec<&str>) = (self.0.lines().collect(), self.1.lines().collect());
        let width = left.iter().map(|line| line.chars().count()).max().unwrap_or(0).clamp(20, 70);
        writeln!(f, "  {:width$} │ actual", "expected")?;
        for index in 0..left.len().max(right.len()) {
            let line = |lines: &[&str]| lines.get(index).copied().unwrap_or("").to_owned();
            let (expected, actual) = (line(&left), line(&right));
            let sign = if expected == actual { ' ' } else { '≠' };
            writeln!(f, "{}", format!("{sign} {expected:width$} │ {actual}").trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
