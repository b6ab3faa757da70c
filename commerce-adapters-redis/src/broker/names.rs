//! The keys of a broker, and what its server runs.

use std::sync::Arc;

use redis::Script;

use crate::settings::{Settings, StreamNames};

/// The keys of a shop's topics and groups. All share the shop's hash slot, as the keys of its store do, but for
/// streams with bare names.
#[derive(Debug, Clone)]
pub(super) struct Names {
    /// With what every key begins.
    prefix: Arc<str>,
    streams: StreamNames,
}

impl Names {
    pub(super) fn of(settings: &Settings) -> Self {
        let Settings { shop, streams, .. } = settings;
        // What is kept of an entry belongs to its stream: names of both kinds may be in use at once.
        let prefix = match streams {
            StreamNames::OfShop => format!("{{{shop}}}"),
            StreamNames::Bare => format!("{{{shop}}}:bare"),
        };
        Self { prefix: prefix.into(), streams: *streams }
    }

    /// The number of the last entry of any topic.
    pub(super) fn last(&self) -> String {
        format!("{}:published", self.prefix)
    }

    /// The names of the topics.
    pub(super) fn topics(&self) -> String {
        format!("{}:topics", self.prefix)
    }

    /// The stream of a topic.
    pub(super) fn topic(&self, topic: &str) -> String {
        match self.streams {
            StreamNames::OfShop => format!("{}:topic:{topic}", self.prefix),
            StreamNames::Bare => topic.to_owned(),
        }
    }

    /// Something of a group. The length keeps `a:b` of group `c` apart from `b` of group `c:a`.
    pub(super) fn of_group(&self, group: &str, what: &str) -> String {
        format!("{}:group:{}:{group}:{what}", self.prefix, group.len())
    }

    /// Stream, postponed entries and first times of every source of a group: its own, then its topics.
    pub(super) fn sources(&self, group: &str, topics: &[Arc<str>]) -> Vec<String> {
        let mut keys: Vec<String> =
            ["own", "own-later", "own-first"].iter().map(|what| self.of_group(group, what)).collect();
        for topic in topics {
            keys.push(self.topic(topic));
            keys.extend(["later", "first"].map(|what| self.of_group(group, &format!("{what}:{topic}"))));
        }
        keys
    }
}

/// The scripts.
#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) publish: Script,
    pub(super) trim: Script,
    pub(super) receive: Script,
    pub(super) acknowledge: Script,
    pub(super) postpone: Script,
    pub(super) bury: Script,
    pub(super) letters: Script,
    pub(super) end_group: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        let trimming =
            |script: &str| Script::new(&format!("{}\n{script}", include_str!("../scripts/broker/trim.lua")));
        Self {
            publish: trimming(include_str!("../scripts/broker/publish.lua")),
            trim: trimming(include_str!("../scripts/broker/trim_topic.lua")),
            receive: Script::new(include_str!("../scripts/broker/receive.lua")),
            acknowledge: Script::new(include_str!("../scripts/broker/acknowledge.lua")),
            postpone: Script::new(include_str!("../scripts/broker/postpone.lua")),
            bury: Script::new(include_str!("../scripts/broker/bury.lua")),
            letters: Script::new(include_str!("../scripts/broker/letters.lua")),
            end_group: Script::new(include_str!("../scripts/broker/end_group.lua")),
        }
    }
}
