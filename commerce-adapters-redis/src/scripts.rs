//! What the server runs, and the keys that it is given.

use redis::Script;

/// The keys of a shop, in the order in which every script counts them. All share the shop's hash slot.
const KEYS: [&str; 19] = [
    "log",
    "counters",
    "heads",
    "at",
    "snapshots",
    "owners",
    "owner-names",
    "pools",
    "pool-names",
    "timers",
    "agenda",
    "timer-names",
    "marks",
    "mark-names",
    "leases",
    "personal",
    "personal-names",
    "subjects",
    "erased",
];

/// The scripts, with the names of the shop's keys.
#[derive(Debug)]
pub(crate) struct Scripts {
    pub(crate) keys: Vec<String>,
    pub(crate) commit: Script,
    pub(crate) load: Script,
    pub(crate) log: Script,
    pub(crate) stream: Script,
    pub(crate) due: Script,
    pub(crate) scan: Script,
    pub(crate) lease: Script,
}

impl Scripts {
    pub(crate) fn of_shop(shop: &str) -> Self {
        let with_events = |script: &str| {
            // The keys come first: the function reads one of them.
            let event = include_str!("scripts/event.lua");
            let (names, rest) = script.split_once("\n\n").unwrap_or(("", script));
            Script::new(&format!("{names}\n{event}\n{rest}"))
        };
        Self {
            keys: KEYS.iter().map(|key| format!("{{{shop}}}:{key}")).collect(),
            commit: Script::new(include_str!("scripts/commit.lua")),
            load: with_events(include_str!("scripts/load.lua")),
            log: with_events(include_str!("scripts/log.lua")),
            stream: with_events(include_str!("scripts/stream.lua")),
            due: Script::new(include_str!("scripts/due.lua")),
            scan: Script::new(include_str!("scripts/scan.lua")),
            lease: Script::new(include_str!("scripts/lease.lua")),
        }
    }
}
