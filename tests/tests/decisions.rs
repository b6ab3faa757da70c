//! What every command of every aggregate comes to, and its repeat, over histories that are the same on every
//! run.
//!
//! `golden/decisions.txt` has a line per command: how often it was accepted, changed nothing or was refused,
//! and a digest over the command, its events, their effects, the refusal and the state behind it. A rule
//! that changes changes its lines, and nobody else's by accident: `UPDATE_GOLDEN=1` writes them anew, and
//! the difference is what a review looks at.
#![allow(clippy::unwrap_used, clippy::panic)] // a failing step is a failing test

use std::collections::BTreeMap;
use std::fmt::{Debug, Write as _};
use std::fs;

use commerce_core::kernel::aggregate::{Aggregate, Command};
use commerce_core::kernel::codec::encode;
use commerce_core::kernel::mark::Fingerprint;
use commerce_core::kernel::replay::{fold, write_snapshot};
use commerce_core::kernel::stream::Version;
use commerce_core::value::id::Id;
use commerce_core::value::time::Timestamp;
use commerce_testkit::fake::START;
use commerce_testkit::strategy::history::{Storied, commands};
use commerce_tests::for_every_aggregate;
use commerce_tests::house::root;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use uuid::Uuid;

/// How many histories of each aggregate.
const HISTORIES: usize = 300;

/// What came of all commands of a name.
#[derive(Debug, Default)]
struct Tally {
    accepted: u32,
    idle: u32,
    refused: u32,
    text: Vec<u8>,
}

impl Tally {
    /// Keeps a digest of what was noted so far and of this, so that the text does not grow.
    fn note(&mut self, line: &str) {
        self.text.extend(line.as_bytes());
        self.text = Fingerprint::of(1, &self.text).hash.into_bytes().to_vec();
    }
}

/// The name of a command: how its debug text begins.
fn name(command: &impl Debug) -> String {
    let text = format!("{command:?}");
    text.chars().take_while(char::is_ascii_alphanumeric).collect()
}

fn shown<A: Aggregate>(state: Option<&A>) -> String {
    let Some(state) = state else { return "nothing".to_owned() };
    let snapshot = write_snapshot(state, Version::NONE).unwrap();
    format!("{} of {:?}", String::from_utf8_lossy(&snapshot.data), state.owner())
}

/// Decides all commands of one history.
fn decide_all<A: Storied>(
    asked: Vec<(std::time::Duration, A::Command)>,
    tallies: &mut BTreeMap<String, Tally>,
) where
    A::Command: Command<Target = A>,
{
    let (mut state, mut now): (Option<A>, _) = (None, START);
    for (wait, command) in asked {
        now = now.plus(wait);
        let command = A::meets(state.as_ref(), command);
        // The second time it is a repeat, which mostly changes nothing.
        for _ in 0..2 {
            decide(&mut state, command.clone(), now, tallies.entry(name(&command)).or_default());
        }
    }
}

/// Decides one command, moves the state along and notes all of it.
fn decide<A: Aggregate>(state: &mut Option<A>, command: A::Command, now: Timestamp, tally: &mut Tally)
where
    A::Command: Command<Target = A>,
{
    let id = Id::derived(Uuid::nil(), b"decisions");
    let (permission, alone) = (command.permission(), command.stands_alone());
    let mut line = format!("{command:?} {permission} {alone} {:?} at {now}", command.claims_owner());
    match A::decide(state.as_ref(), command, now) {
        Err(error) => {
            tally.refused += 1;
            write!(line, " refused: {error}").unwrap();
        }
        Ok(events) if events.is_empty() => tally.idle += 1,
        Ok(events) => {
            tally.accepted += 1;
            for event in &events {
                let stored = encode(event).unwrap();
                let data = String::from_utf8_lossy(&stored.data);
                write!(line, " {data} {:?} {:?}", stored.personal.len(), A::effects(id, event)).unwrap();
            }
            *state = fold(state.take(), &events).unwrap();
        }
    }
    tally.note(&format!("{line} {}", shown(state.as_ref())));
}

fn lines<A: Storied>(text: &mut String)
where
    A::Command: Command<Target = A>,
{
    let (mut runner, strategy) = (TestRunner::deterministic(), commands::<A>());
    let mut tallies = BTreeMap::new();
    for _ in 0..HISTORIES {
        decide_all::<A>(strategy.new_tree(&mut runner).unwrap().current(), &mut tallies);
    }
    for (command, Tally { accepted, idle, refused, text: digest }) in tallies {
        let digest: String = digest.iter().take(8).fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        });
        let what = format!("accepted {accepted}, idle {idle}, refused {refused}");
        writeln!(text, "{} {command}: {what}, {digest}", A::NAME).unwrap();
    }
}

fn all() -> String {
    let mut text = String::new();
    for_every_aggregate!(lines, &mut text);
    text
}

#[test]
fn every_command_comes_to_what_it_came_to() {
    let (path, now) = (root().join("tests/golden/decisions.txt"), all());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &now).unwrap();
    }
    let before = fs::read_to_string(&path).unwrap_or_default();
    let changed: Vec<&str> = now.lines().filter(|line| !before.lines().any(|known| known == *line)).collect();
    let gone = before.lines().filter(|line| !now.lines().any(|known| known == *line)).count();
    assert!(
        changed.is_empty() && gone == 0,
        "decisions that changed, {gone} lines before:\n{}",
        changed.join("\n")
    );
}
