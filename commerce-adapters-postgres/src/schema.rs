//! The schema's name, and SQL with it in place.

use std::fmt;
use std::sync::Arc;

use sqlx::AssertSqlSafe;
use sqlx::SqlSafeStr;
use sqlx::SqlStr;

/// How long an identifier of PostgreSQL is at most, in bytes.
const LONGEST: usize = 63;
/// How the SQL of this crate names the schema.
const PLACEHOLDER: &str = "commerce.";

/// The schema that holds every table of the library.
///
/// Letters, digits and underscores, not starting with a digit: nothing in it needs an escape.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Schema(Arc<str>);

/// The name of a schema is empty, too long, or holds more than letters, digits and underscores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a schema's name has up to 63 letters, digits and underscores and starts with no digit")]
pub struct InvalidSchema;

impl Schema {
    /// The schema of this name.
    ///
    /// # Errors
    ///
    /// [`InvalidSchema`]
    pub fn new(name: &str) -> Result<Self, InvalidSchema> {
        let fine = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let starts = name.chars().next().is_some_and(|c| !c.is_ascii_digit());
        if starts && name.len() <= LONGEST && name.chars().all(fine) {
            Ok(Self(name.into()))
        } else {
            Err(InvalidSchema)
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// SQL of this crate, in this schema.
    pub(crate) fn text(&self, sql: &str) -> String {
        sql.replace(PLACEHOLDER, &format!("\"{}\".", self.0))
    }

    /// SQL of this crate, in this schema, ready to be run. Cheap to clone.
    pub(crate) fn sql(&self, sql: &str) -> SqlStr {
        // The only part that is not constant is the name, which was checked when it was made.
        AssertSqlSafe(Arc::<str>::from(self.text(sql))).into_sql_str()
    }
}

impl Default for Schema {
    fn default() -> Self {
        Self("commerce".into())
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_break_out_of_its_quotes() {
        for wrong in ["", "1a", "a\"b", "a'b", "a.b", "a b", "ä", &"a".repeat(64)] {
            assert_eq!(Schema::new(wrong), Err(InvalidSchema), "{wrong}");
        }
        let schema = Schema::new("Shop_2").unwrap();
        assert_eq!(schema.text("select from commerce.pools"), "select from \"Shop_2\".pools");
    }
}
