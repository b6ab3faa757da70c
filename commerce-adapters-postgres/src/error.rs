//! Errors of the server by what can be done about them: by SQLSTATE, never by text.

use std::fmt;

use commerce_core::kernel::error::{Effect, PortError, PortErrorKind};
use sqlx::postgres::{PgDatabaseError, PgSeverity};

/// The name of this port in errors.
pub(crate) const PORT: &str = "postgres";

/// What a failed call leaves to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Undone for a reason that may be gone with the next attempt: deadlock, serialisation, old plan.
    Again,
    /// Undone because a lock did not come in time.
    Locked,
    /// Undone; another attempt fails too.
    Undone,
    /// The connection is lost: nobody knows.
    Lost,
}

/// Sorts an error of a call.
pub(crate) fn verdict(error: &sqlx::Error) -> Verdict {
    let Some(database) = server(error) else {
        return match error {
            // These are raised before anything was sent.
            sqlx::Error::Configuration(_) | sqlx::Error::Encode(_) => Verdict::Undone,
            _ => Verdict::Lost,
        };
    };
    // A fatal error ends the session; it may be told after the commit was made.
    if matches!(database.severity(), PgSeverity::Fatal | PgSeverity::Panic) {
        return Verdict::Lost;
    }
    match database.code() {
        // 23505 happens only where somebody writes without our locks; the next attempt sees what is there.
        "40001" | "40P01" | "23505" => Verdict::Again,
        // After a change of the schema a cached plan fails once.
        "0A000" if database.message().contains("cached plan") => Verdict::Again,
        "55P03" => Verdict::Locked,
        code if code.starts_with("08") => Verdict::Lost,
        _ => Verdict::Undone,
    }
}

fn server(error: &sqlx::Error) -> Option<&PgDatabaseError> {
    error.as_database_error()?.try_downcast_ref()
}

/// The SQLSTATE that the server answered.
pub(crate) fn server_code(error: &sqlx::Error) -> Option<&str> {
    server(error).map(PgDatabaseError::code)
}

fn kind(error: &sqlx::Error) -> PortErrorKind {
    let Some(database) = server(error) else {
        return match error {
            sqlx::Error::Encode(_) | sqlx::Error::Configuration(_) => PortErrorKind::Invalid,
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => PortErrorKind::Corrupt,
            sqlx::Error::PoolTimedOut => PortErrorKind::Timeout,
            _ => PortErrorKind::Unavailable,
        };
    };
    match database.code() {
        "55P03" | "57014" | "25P03" | "57P05" => PortErrorKind::Timeout,
        "53300" => PortErrorKind::Throttled,
        "42501" => PortErrorKind::Denied,
        code => match code.get(..2) {
            Some("28") => PortErrorKind::Denied,
            Some("22" | "0A" | "42" | "3F" | "25") => PortErrorKind::Invalid,
            Some("23" | "XX") => PortErrorKind::Corrupt,
            _ => PortErrorKind::Unavailable,
        },
    }
}

/// What the server said, without its text, which may quote what was sent.
#[derive(Debug)]
pub(crate) struct ServerError {
    code: String,
    constraint: Option<String>,
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server answered SQLSTATE {}", self.code)?;
        match &self.constraint {
            Some(constraint) => write!(f, " at {constraint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ServerError {}

/// The error of a port's operation. `effect` counts where the connection was lost.
pub(crate) fn port_error(operation: &'static str, effect: Effect, error: &sqlx::Error) -> PortError {
    let effect = if verdict(error) == Verdict::Lost { effect } else { Effect::None };
    let told = PortError::new(kind(error), effect, PORT, operation);
    match (server(error), error) {
        (Some(database), _) => told.with_source(ServerError {
            code: database.code().to_owned(),
            constraint: database.constraint().map(str::to_owned),
        }),
        (None, sqlx::Error::Io(error)) => told.with_source(std::io::Error::from(error.kind())),
        _ => told,
    }
}

/// No answer came in time.
pub(crate) const fn timeout(operation: &'static str, effect: Effect) -> PortError {
    PortError::new(PortErrorKind::Timeout, effect, PORT, operation)
}

/// What is stored makes no sense.
pub(crate) const fn corrupt(operation: &'static str) -> PortError {
    PortError::new(PortErrorKind::Corrupt, Effect::None, PORT, operation)
}
