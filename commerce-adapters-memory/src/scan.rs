//! Tables for audits, ascending by the text of their keys.

use commerce_core::kernel::unique::UniqueKey;
use commerce_core::port::store::{Row, Table};

use crate::state::State;

impl State {
    pub(crate) fn scan(&self, table: Table, after: Option<&str>, limit: usize) -> Vec<Row> {
        let mut rows: Vec<(String, Row)> = match table {
            Table::Keys => self
                .keys
                .iter()
                .map(|(key, (owner, subject))| {
                    let row = UniqueKey { key: key.clone(), owner: owner.clone(), subject: *subject };
                    (key.to_string(), Row::Key(row))
                })
                .collect(),
            Table::Pools => self
                .pools
                .iter()
                .map(|(pool, level)| (pool.to_string(), Row::Pool(pool.clone(), *level)))
                .collect(),
            Table::Timers => self
                .timers
                .iter()
                .map(|(key, timer)| (key.to_string(), Row::Timer(key.clone(), timer.due)))
                .collect(),
            Table::Marks => self
                .marks
                .iter()
                .map(|(key, handled)| (key.to_string(), Row::Mark(key.clone(), handled.clone())))
                .collect(),
        };
        rows.retain(|(text, _)| after.is_none_or(|after| text.as_str() > after));
        rows.sort_by(|(left, _), (right, _)| left.cmp(right));
        rows.truncate(limit);
        rows.into_iter().map(|(_, row)| row).collect()
    }
}
