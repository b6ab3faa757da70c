//! Real deaths: the shop runs in a process of its own, which is killed with `SIGKILL` where it is to die.
//!
//! The gateway and the bank stay with the one who kills, so that their books outlive every process, and the
//! store is whatever the process opens: a file, a server. A program does its part with [`Errand::run`]; a test says
//! how the program is started and how the store is opened afterwards, see [`ProcessKills`].
#![allow(
    clippy::indexing_slicing,
    reason = "a JSON value that is asked for what it does not hold gives null"
)]

mod child;
mod wire;

use std::io::{self, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use commerce_core::port::store::Store;
use serde_json::{Value, json};

use super::bank::FakeBank;
use super::life::Life;
use super::report::{Outcome, Report};
use super::scenario::{Prepared, Scenario};
use super::{KillPoint, Recovery};
use crate::conformance::block_on;
use crate::fake::{Clock, Gateway};
use crate::shop::Shop;
use child::Part;

pub use child::Errand;

/// Where one shop lives: how its store is opened here, and how a process that works on it is started.
pub trait Place {
    /// Opens the store, judging time by the clock. No process of the shop runs while it is open.
    fn open(&self, clock: Clock) -> Arc<dyn Store>;

    /// The program, up to the arguments of the errand, which come behind those that stand there.
    fn program(&self) -> Command;
}

/// Kills processes at every point of a scenario, each time in a fresh place.
#[derive(Debug)]
pub struct ProcessKills<M> {
    make: M,
}

/// What a process came to.
enum End {
    Killed,
    Done { calls: u64, took: Duration, breaches: Vec<String> },
}

impl<P: Place, M: Fn() -> P> ProcessKills<M> {
    /// In places that are made like this.
    pub const fn on(make: M) -> Self {
        Self { make }
    }

    /// One death at every point, under both recoveries.
    ///
    /// # Errors
    ///
    /// Where a process cannot be started or ends in a way that was not asked for.
    pub fn once(&self, scenario: Scenario) -> io::Result<Report> {
        let mut report = Report::of(scenario);
        let mut undisturbed = Shopkeeper::begin((self.make)(), scenario);
        let End::Done { calls, .. } = undisturbed.send(Part::Act, None)? else {
            return Err(io::Error::other("it died by itself"));
        };
        report.calls = calls;
        for recovery in [Recovery::Timers, Recovery::Browser] {
            for point in KillPoint::all(calls) {
                let outcome = Shopkeeper::begin((self.make)(), scenario).dies_once(point, recovery)?;
                report.add(&[point], recovery, outcome);
            }
        }
        Ok(report)
    }
}

/// Looks after one shop: keeps its gateway, starts its processes and kills them.
struct Shopkeeper<P> {
    place: P,
    scenario: Scenario,
    gateway: Gateway,
    bank: Arc<FakeBank>,
    prepared: Prepared,
    processes: u64,
}

impl<P: Place> Shopkeeper<P> {
    fn begin(place: P, scenario: Scenario) -> Self {
        let (gateway, clock) = (scenario.gateway(), Clock::default());
        let shop = Shop::on_shared(place.open(clock.clone()), clock, gateway.clone(), 1);
        let prepared = block_on(scenario.prepare(&shop));
        let bank = Arc::new(FakeBank::at(gateway.clone()));
        Self { place, scenario, gateway, bank, prepared, processes: 0 }
    }

    fn dies_once(mut self, point: KillPoint, recovery: Recovery) -> io::Result<Outcome> {
        let mut outcome = Outcome::default();
        match self.send(Part::Act, Some(point))? {
            End::Killed => outcome.deaths = 1,
            // Behind the last answer nothing is left to be cut short.
            End::Done { calls, .. } if calls < point.call => outcome.deaths = 1,
            End::Done { .. } => {}
        }
        for part in [Part::Recover(recovery), Part::Act, Part::Recover(Recovery::Timers)] {
            let End::Done { took, breaches, .. } = self.send(part, None)? else {
                return Err(io::Error::other("it died without being told to"));
            };
            // What waits for its buyer or a deadline takes as long as that.
            let counts = part == Part::Recover(recovery) && self.scenario.ends_by_itself();
            if counts && outcome.took == Duration::ZERO {
                outcome.took = took;
            }
            outcome.faults.extend(breaches);
        }
        let clock = Clock::default();
        let store = self.place.open(clock.clone());
        let (prepared, gateway) = (self.prepared.clone(), self.gateway.clone());
        let remote = Arc::new(gateway.clone());
        let life = Life::resumed(store, clock, remote, self.bank.clone(), self.scenario, prepared, 0);
        block_on(life.keeping_books_of(gateway).look_at(&mut outcome.faults, "in the end", true));
        Ok(outcome)
    }

    /// Starts a process and answers for the gateway until it is done or is to be killed.
    fn send(&mut self, part: Part, point: Option<KillPoint>) -> io::Result<End> {
        self.processes = self.processes.saturating_add(1);
        let Prepared { cart, total, .. } = self.prepared;
        let errand = Errand { scenario: self.scenario, cart, total, process: self.processes, part, point };
        let mut child = self
            .place
            .program()
            .args(errand.arguments())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let end = self.attend(&mut child);
        // A signal that cannot be caught; the child is gone when this returns.
        child.kill()?;
        child.wait()?;
        end
    }

    fn attend(&self, child: &mut Child) -> io::Result<End> {
        let (Some(mut to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("a process without pipes"));
        };
        let mut from = BufReader::new(from);
        while let Some(question) = wire::hear(&mut from)? {
            if question["dying"] == json!(true) {
                return Ok(End::Killed);
            }
            if let Some(done) = question.get("done") {
                wire::say(&mut to, &json!({}))?;
                return Ok(end_of(done));
            }
            let answer = block_on(wire::answer(&self.gateway, &*self.bank, &question));
            wire::say(&mut to, &answer.ok_or_else(|| io::Error::other("a question without sense"))?)?;
        }
        Err(io::Error::other("a process ended by itself"))
    }
}

fn end_of(done: &Value) -> End {
    let breaches = done["breaches"].as_array().into_iter().flatten();
    End::Done {
        calls: done["calls"].as_u64().unwrap_or(0),
        took: Duration::from_micros(done["micros"].as_u64().unwrap_or(0)),
        breaches: breaches.map(Value::to_string).collect(),
    }
}
