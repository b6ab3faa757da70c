//! Errors of the server and of the way to it, by what can be done about them.

use std::fmt;

use commerce_core::kernel::error::{Effect, PortError, PortErrorKind};
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// The name of this port in errors.
pub(crate) const PORT: &str = "redis";

/// What the server or the client said, without its text, which may quote an address or what was sent.
#[derive(Debug)]
struct Told {
    code: String,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "redis answered {}", self.code)
    }
}

impl std::error::Error for Told {}

/// Whether the call may have been carried out although it failed.
pub(crate) fn is_lost(error: &RedisError) -> bool {
    // A server that answers with an error has carried nothing out: scripts write behind their last check.
    let refused = matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension);
    !refused && !error.is_connection_refusal() && !matches!(error.kind(), ErrorKind::InvalidClientConfig)
}

fn kind(error: &RedisError) -> PortErrorKind {
    match error.kind() {
        _ if error.is_timeout() => PortErrorKind::Timeout,
        ErrorKind::InvalidClientConfig | ErrorKind::Client => PortErrorKind::Invalid,
        ErrorKind::UnexpectedReturnType => PortErrorKind::Corrupt,
        ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm) => PortErrorKind::Denied,
        _ if error.code() == Some("NOAUTH") || error.code() == Some("WRONGPASS") => PortErrorKind::Denied,
        // Also what cannot be read: an answer that ends in the middle, because the connection does.
        _ => PortErrorKind::Unavailable,
    }
}

/// The error of a port's operation. `effect` counts where nobody knows what became of the call.
pub(crate) fn port_error(operation: &'static str, effect: Effect, error: &RedisError) -> PortError {
    let effect = if is_lost(error) { effect } else { Effect::None };
    let code = error.code().map_or_else(|| format!("{:?}", error.kind()), str::to_owned);
    PortError::new(kind(error), effect, PORT, operation).with_source(Told { code })
}

/// A script says what the server said to one of its commands: nothing came of that one.
pub(crate) fn refused(operation: &'static str, told: &str) -> PortError {
    let code = told.split(' ').next().unwrap_or_default().to_owned();
    PortError::new(PortErrorKind::Unavailable, Effect::None, PORT, operation).with_source(Told { code })
}

/// What is stored or answered makes no sense.
pub(crate) const fn corrupt(operation: &'static str) -> PortError {
    PortError::new(PortErrorKind::Corrupt, Effect::None, PORT, operation)
}
