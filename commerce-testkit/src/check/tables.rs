//! Every table of the store, compared with the log.

use std::collections::BTreeMap;
use std::fmt;

use commerce_core::kernel::error::PortError;
use commerce_core::kernel::pool::PoolLevel;
use commerce_core::kernel::stream::{StreamId, Version};
use commerce_core::port::store::{MAX_PAGE, Row, Store, Table};

use super::books::Books;

/// A whole table.
async fn rows(store: &dyn Store, table: Table) -> Result<Vec<Row>, PortError> {
    let mut all = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = store.scan(table, after.as_deref(), MAX_PAGE).await?;
        let Some(last) = page.last() else { return Ok(all) };
        after = Some(last.text());
        all.extend(page);
    }
}

/// Where two tables differ, shown by the first difference.
fn difference<K: Ord + fmt::Display, V: PartialEq + fmt::Debug>(
    stored: &BTreeMap<K, V>,
    told: &BTreeMap<K, V>,
) -> Option<String> {
    let of_stored = stored.iter().find(|(key, value)| told.get(*key) != Some(value));
    let of_told = told.iter().find(|(key, _)| !stored.contains_key(key));
    let (key, _) = of_stored.or(of_told)?;
    Some(format!("{key} is {:?} in the store, by the log {:?}", stored.get(key), told.get(key)))
}

impl Books {
    /// Compares the pools. A pool of zeros is as good as none.
    pub(super) async fn pools_differ(&self, store: &dyn Store) -> Result<Option<String>, PortError> {
        let rows = rows(store, Table::Pools).await?;
        let stored: BTreeMap<_, _> = rows
            .into_iter()
            .filter_map(|row| match row {
                Row::Pool(pool, level) if level != PoolLevel::default() => Some((pool, level)),
                _ => None,
            })
            .collect();
        let told = self.pools.levels().iter().filter(|(_, level)| **level != PoolLevel::default());
        Ok(difference(&stored, &told.map(|(pool, level)| (pool.clone(), *level)).collect()))
    }

    /// Compares the unique keys.
    pub(super) async fn keys_differ(&self, store: &dyn Store) -> Result<Option<String>, PortError> {
        let rows = rows(store, Table::Keys).await?;
        let stored: BTreeMap<_, _> = rows
            .into_iter()
            .filter_map(|row| match row {
                Row::Key(owned) => Some((owned.key, owned.owner)),
                _ => None,
            })
            .collect();
        let told = self.keys.iter().filter_map(|(key, owners)| Some((key.clone(), owners.first()?.clone())));
        // Personal keys of those who were erased are gone from the table only.
        let told: BTreeMap<_, StreamId> =
            told.filter(|(key, _)| stored.contains_key(key) || !self.personal.contains(key)).collect();
        Ok(difference(&stored, &told))
    }

    /// Compares the timers.
    pub(super) async fn timers_differ(&self, store: &dyn Store) -> Result<Option<String>, PortError> {
        let rows = rows(store, Table::Timers).await?;
        let stored: BTreeMap<_, _> = rows
            .into_iter()
            .filter_map(|row| match row {
                Row::Timer(key, due) => Some((key, due)),
                _ => None,
            })
            .collect();
        Ok(difference(&stored, &self.timers))
    }

    /// Marks: each key once, and how many there are.
    pub(super) async fn marks(store: &dyn Store) -> Result<(usize, bool), PortError> {
        let rows = rows(store, Table::Marks).await?;
        let mut keys: Vec<_> = rows
            .into_iter()
            .filter_map(|row| match row {
                Row::Mark(key, _) => Some(key),
                _ => None,
            })
            .collect();
        let count = keys.len();
        keys.sort();
        keys.dedup();
        Ok((count, keys.len() == count))
    }

    /// A stream that shows other events than the log does.
    pub(super) async fn streams_differ(&self, store: &dyn Store) -> Result<Option<String>, PortError> {
        for (stream, entry) in &self.streams {
            let behind = Version::new(entry.version.saturating_sub(1));
            let last = store.read_stream(stream, behind, 2).await?;
            let versions: Vec<_> = last.iter().map(|event| event.version.get()).collect();
            if versions != [entry.version] {
                let what = format!("{stream} ends at {versions:?}, in the log at {}", entry.version);
                return Ok(Some(what));
            }
        }
        Ok(None)
    }
}
