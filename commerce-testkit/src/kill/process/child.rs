//! A process that does a part of a scenario and stops where it is to be killed.

use std::io::{self, BufReader};
use std::sync::Arc;
use std::time::Duration;

use commerce_core::port::clock::Clock as _;
use commerce_core::port::store::Store;
use commerce_core::value::Money;
use commerce_core::value::id::{CartId, CommandId};
use serde_json::json;

use super::super::life::Life;
use super::super::scenario::{Prepared, Scenario};
use super::super::{KillPoint, Moment, Recovery};
use super::wire::Remote;
use crate::check::Breach;
use crate::conformance::block_on;
use crate::fake::{Clock, START};

/// What a process is told to do, given and read as arguments of its program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errand {
    pub(super) scenario: Scenario,
    pub(super) cart: CartId,
    pub(super) total: Money,
    /// The how-many-eth process it is: its identifiers differ, and its clock is later.
    pub(super) process: u64,
    pub(super) part: Part,
    /// Where it is to be killed, if anywhere.
    pub(super) point: Option<KillPoint>,
}

/// Which part of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The buyer, and whoever follows.
    Act,
    /// What comes behind a death.
    Recover(Recovery),
}

impl Errand {
    /// As arguments of a program.
    pub fn arguments(&self) -> [String; 6] {
        let part = match self.part {
            Part::Act => "act",
            Part::Recover(Recovery::Timers) => "timers",
            Part::Recover(Recovery::Browser) => "browser",
        };
        let point = self.point.map_or_else(String::new, |point| {
            let moment = if point.moment == Moment::Before { "before" } else { "after" };
            format!("{moment}-{}", point.call)
        });
        let total = serde_json::to_string(&self.total).unwrap_or_default();
        let scenario = format!("{:?}", self.scenario);
        [scenario, self.cart.to_string(), total, self.process.to_string(), part.to_owned(), point]
    }

    /// Reads the arguments of a program; `None` where they are not those of an errand.
    pub fn parse(arguments: &[String]) -> Option<Self> {
        let [scenario, cart, total, process, part, point] = arguments else { return None };
        let point = match point.split_once('-') {
            None => None,
            Some((moment, call)) => {
                let moment = if moment == "before" { Moment::Before } else { Moment::AfterEffect };
                Some(KillPoint { call: call.parse().ok()?, moment })
            }
        };
        let part = match part.as_str() {
            "act" => Part::Act,
            "timers" => Part::Recover(Recovery::Timers),
            "browser" => Part::Recover(Recovery::Browser),
            _ => return None,
        };
        let scenario = *Scenario::ALL.iter().find(|known| format!("{known:?}") == *scenario)?;
        let (cart, total) = (cart.parse().ok()?, serde_json::from_str(total).ok()?);
        Some(Self { scenario, cart, total, process: process.parse().ok()?, part, point })
    }

    /// Does the errand on the store that `open` opens, with the gateway and the bank at the other end of this
    /// process's standard input and output. Where the process is to be killed it says so and waits to be.
    ///
    /// # Errors
    ///
    /// Where the pipes are gone.
    pub fn run(self, open: impl FnOnce(Clock) -> Arc<dyn Store>) -> io::Result<()> {
        let clock = Clock::at(START.plus(Duration::from_secs(self.process)));
        let store = open(clock.clone());
        let remote = Arc::new(Remote::on(BufReader::new(io::stdin()), io::stdout()));
        let click = CommandId::derived(self.cart.uuid(), b"click");
        let prepared = Prepared { cart: self.cart, total: self.total, click };
        let (scenario, starts) = (self.scenario, self.process * 100);
        let mut life =
            Life::resumed(store, clock.clone(), remote.clone(), remote.clone(), scenario, prepared, starts);
        let script = self.point.map(KillPoint::script).unwrap_or_default();
        let restarted = clock.now();
        let done = match self.part {
            Part::Act => block_on(life.act_until(script)).map(|calls| (calls, restarted)),
            Part::Recover(recovery) => block_on(life.recover_until(script, recovery)),
        };
        let Some((calls, ended)) = done else {
            // Nothing comes back from here: the answer to this is the signal.
            remote.ask(&json!({ "dying": true }))?;
            return Err(io::Error::other("it was not killed"));
        };
        let micros = ended.as_micros().saturating_sub(restarted.as_micros());
        let breaches: Vec<String> = life.breaches().iter().map(Breach::to_string).collect();
        remote.ask(&json!({ "done": { "calls": calls, "micros": micros, "breaches": breaches } }))?;
        Ok(())
    }
}
