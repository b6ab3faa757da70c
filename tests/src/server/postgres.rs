//! A database of its own for every test.

use super::cluster::{psql, unique};
use super::shared;

/// Names a server to use instead of a private one: the address of a database on it, with a role that
/// may create databases.
pub const URL_VARIABLE: &str = "COMMERCE_TEST_POSTGRES";

/// A fresh, empty database; dropped with the value.
#[derive(Debug)]
pub struct Database {
    admin: String,
    name: String,
    url: String,
}

impl Database {
    /// Creates one, on the server that the environment names or else on the test run's own.
    pub fn new() -> Self {
        let name = format!("commerce_{}_{:x}", std::process::id(), unique());
        let (admin, url) = match std::env::var(URL_VARIABLE) {
            Ok(given) => (given.clone(), with_database(&given, &name)),
            Err(_) => (shared::cluster().url("postgres"), shared::cluster().url(&name)),
        };
        psql(&admin, &format!("create database {name}")).expect("a database can be created");
        Self { admin, name, url }
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs SQL in it through the server's own client and gives what it prints.
    pub fn psql(&self, sql: &str) -> String {
        psql(&self.url, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }
}

impl Default for Database {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = psql(&self.admin, &format!("drop database if exists {} with (force)", self.name));
    }
}

/// The address of another database on the same server.
fn with_database(url: &str, name: &str) -> String {
    let (base, query) = url.split_once('?').map_or((url, None), |(base, query)| (base, Some(query)));
    let scheme = base.find("://").map_or(0, |at| at + 3);
    let host = base[scheme..].find('/').map_or(base, |at| &base[..scheme + at]);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{host}/{name}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_of_an_address_is_exchanged() {
        assert_eq!(with_database("postgres://u:p@host:5/a?x=y", "b"), "postgres://u:p@host:5/b?x=y");
        assert_eq!(with_database("postgres://host", "b"), "postgres://host/b");
        assert_eq!(with_database("postgres:///a?host=/tmp", "b"), "postgres:///b?host=/tmp");
    }

    #[test]
    fn a_database_is_there_and_then_gone() {
        let database = Database::new();
        let (admin, name) = (database.admin.clone(), database.name().to_owned());
        database.psql("create table t (x int)");
        let count = format!("select count(*) from pg_database where datname = '{name}'");
        assert_eq!(psql(&admin, &count).unwrap(), "1");
        drop(database);
        assert_eq!(psql(&admin, &count).unwrap(), "0");
    }
}
