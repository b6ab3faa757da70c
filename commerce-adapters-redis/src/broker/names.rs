//! The keys of a broker, and what its server runs.

use std::sync::Arc;

use redis::Script;

/// The keys of a shop's topics and groups. All share the shop's hash slot, as the keys of its store do.
#[derive(Debug, Clone)]
pub(super) struct Names {
    shop: Arc<str>,
}

impl Names {
    pub(super) fn of_shop(shop: Arc<str>) -> Self {
        Self { shop }
    }

    /// The number of the last entry of any topic.
    pub(super) fn last(&self) -> String {
        format!("{{{}}}:published", self.shop)
    }

    /// The names of the topics.
    pub(super) fn topics(&self) -> String {
        format!("{{{}}}:topics", self.shop)
    }

    /// The stream of a topic.
    pub(super) fn topic(&self, topic: &str) -> String {
        format!("{{{}}}:topic:{topic}", self.shop)
    }

    /// Something of a group. The length keeps `a:b` of group `c` apart from `b` of group `c:a`.
    pub(super) fn of_group(&self, group: &str, what: &str) -> String {
        format!("{{{}}}:group:{}:{group}:{what}", self.shop, group.len())
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
        }
    }
}
