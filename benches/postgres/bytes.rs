//! What a database holds, and what was written ahead for it.

use commerce_tests::server::Cluster;

/// Bytes of tables, of indexes and of the write-ahead log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bytes([u64; 3]);

impl Bytes {
    /// As they stand now.
    pub(crate) fn now(cluster: &Cluster, database: &str) -> Self {
        let sum = |of: &str| {
            format!(
                "select sum({of}(c.oid))::bigint from pg_class c join pg_namespace n on n.oid = c.relnamespace \
                 where n.nspname = 'commerce' and c.relkind = 'r'"
            )
        };
        let wal = "select (pg_current_wal_lsn() - '0/0')::bigint".to_owned();
        let asked = [sum("pg_table_size"), sum("pg_indexes_size"), wal];
        Self(asked.map(|sql| cluster.psql(database, &sql).parse().unwrap()))
    }

    /// What one unit of work added since an earlier look.
    pub(crate) fn per(self, earlier: Self, work: u64) -> String {
        let [tables, indexes, wal] = [0, 1, 2].map(|part| (self.0[part] - earlier.0[part]) / work);
        format!("{tables} of tables, {indexes} of indexes, {wal} of WAL")
    }
}
