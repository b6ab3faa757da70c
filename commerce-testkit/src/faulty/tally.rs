//! How often what went wrong.

use std::collections::BTreeMap;
use std::fmt;

use super::fault::{Fault, Port};

/// Counts faults by port and kind; printed as a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<(Port, Fault), u64>);

impl Tally {
    pub(super) fn add(&mut self, port: Port, fault: Fault) {
        let count = self.0.entry((port, fault)).or_default();
        *count = count.saturating_add(1);
    }

    /// Adds the counts of another run.
    pub fn merge(&mut self, other: &Self) {
        for (cell, more) in &other.0 {
            let count = self.0.entry(*cell).or_default();
            *count = count.saturating_add(*more);
        }
    }

    /// How often this port failed in this way.
    pub fn of(&self, port: Port, fault: Fault) -> u64 {
        self.0.get(&(port, fault)).copied().unwrap_or(0)
    }

    /// How many faults there were.
    pub fn total(&self) -> u64 {
        self.0.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// What can go wrong and never did.
    pub fn gaps(&self) -> Vec<(Port, Fault)> {
        let possible = Port::ALL.iter().flat_map(|port| port.faults().iter().map(|fault| (*port, *fault)));
        possible.filter(|(port, fault)| self.of(*port, *fault) == 0).collect()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:10}", "port")?;
        for fault in Fault::ALL {
            write!(f, "{fault:>12}")?;
        }
        for port in Port::ALL {
            write!(f, "\n{port:10}")?;
            for fault in Fault::ALL {
                if port.faults().contains(&fault) {
                    write!(f, "{:>12}", self.of(port, fault))?;
                } else {
                    write!(f, "{:>12}", "–")?;
                }
            }
        }
        Ok(())
    }
}
