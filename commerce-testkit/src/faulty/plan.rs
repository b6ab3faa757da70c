//! When something goes wrong: by chance, or as it is written.

use std::collections::BTreeMap;

use super::fault::{Fault, Port};
use super::faults::Call;
use crate::dice::Dice;

/// How often what goes wrong, in a thousand calls of a port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rates(BTreeMap<(Port, Fault), u32>);

impl Rates {
    /// Whatever can go wrong does so this often, at every port.
    pub fn everywhere(per_mille: u32) -> Self {
        Port::ALL.into_iter().fold(Self::default(), |rates, port| rates.at(port, per_mille))
    }

    /// Whatever can go wrong at this port does so this often.
    #[must_use]
    pub fn at(self, port: Port, per_mille: u32) -> Self {
        port.faults().iter().fold(self, |rates, fault| rates.of(port, *fault, per_mille))
    }

    /// This goes wrong at this port this often; ignored where it cannot.
    #[must_use]
    pub fn of(mut self, port: Port, fault: Fault, per_mille: u32) -> Self {
        if port.faults().contains(&fault) {
            self.0.insert((port, fault), per_mille);
        }
        self
    }

    fn draw(&self, dice: &mut Dice, port: Port) -> Option<Fault> {
        let mut throw = dice.below(1000);
        for fault in port.faults() {
            let rate = u64::from(self.0.get(&(port, *fault)).copied().unwrap_or(0));
            if throw < rate {
                return Some(*fault);
            }
            throw = throw.saturating_sub(rate);
        }
        None
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// The how-many-eth call of this operation, from 1.
    Nth(Port, &'static str, u64),
    /// The how-many-eth awaited call of all ports, from 1.
    Call(u64),
}

/// Which calls go wrong; an entry counts once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Script(Vec<(When, Fault)>);

impl Script {
    /// The `nth` call of an operation, from 1, for example of the store's `commit`.
    #[must_use]
    pub fn nth(mut self, port: Port, operation: &'static str, nth: u64, fault: Fault) -> Self {
        self.0.push((When::Nth(port, operation, nth), fault));
        self
    }

    /// The `nth` call of whatever port, from 1. Only calls that are awaited count: neither the clock nor
    /// identifiers.
    #[must_use]
    pub fn call(mut self, nth: u64, fault: Fault) -> Self {
        self.0.push((When::Call(nth), fault));
        self
    }

    fn take(&mut self, call: &Call) -> Option<Fault> {
        let found = self.0.iter().position(|(when, fault)| {
            let meant = match when {
                When::Nth(port, operation, nth) => {
                    (*port, *operation, *nth) == (call.port, call.operation, call.nth)
                }
                When::Call(number) => call.number == Some(*number),
            };
            meant && call.port.faults().contains(fault)
        })?;
        Some(self.0.remove(found).1)
    }
}

#[derive(Debug, Clone)]
pub(super) enum Plan {
    Nothing,
    Seeded(Dice, Rates),
    Scripted(Script),
}

impl Plan {
    pub(super) fn fault(&mut self, call: &Call) -> Option<Fault> {
        match self {
            Self::Nothing => None,
            Self::Seeded(dice, rates) => rates.draw(dice, call.port),
            Self::Scripted(script) => script.take(call),
        }
    }

    /// A number for whoever has to choose; zero without dice.
    pub(super) fn choose(&mut self, limit: u64) -> u64 {
        match self {
            Self::Seeded(dice, _) => dice.below(limit),
            Self::Nothing | Self::Scripted(_) => 0,
        }
    }
}
