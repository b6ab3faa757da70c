//! The way to a server, and calls on it.

use std::future::Future;
use std::time::Duration;

use redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig};
use redis::{Client, IntoConnectionInfo, RedisError, Script, Value};

use crate::error::is_lost;

/// How often a lost connection is tried again for a call that waits for it; the next call tries anew.
const RETRIES: usize = 4;
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// What makes connections to the server at this address.
pub(crate) fn client(address: impl IntoConnectionInfo) -> Result<Client, RedisError> {
    #[cfg(feature = "_rustls")]
    provide_ciphers();
    Client::open(address)
}

/// A connection panics where its process has no provider of ciphers, and where rustls was built with two of
/// them and nobody chose one. What the host has chosen stands.
#[cfg(feature = "_rustls")]
fn provide_ciphers() {
    #[cfg(not(feature = "tls-rustls-ring"))]
    use rustls::crypto::aws_lc_rs as ciphers;
    #[cfg(feature = "tls-rustls-ring")]
    use rustls::crypto::ring as ciphers;

    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Refused where somebody else was faster: then there is one.
        let _ = ciphers::default_provider().install_default();
    }
}

/// A connection that is made anew where it is lost. `answer` is how long any answer is waited for, `connect`
/// how long a connection.
pub(crate) async fn connect(
    client: &Client,
    answer: Duration,
    connect: Duration,
) -> Result<ConnectionManager, RedisError> {
    let config = ConnectionManagerConfig::new()
        .set_response_timeout(Some(answer))
        .set_connection_timeout(Some(connect))
        .set_number_of_retries(RETRIES)
        .set_max_delay(LONGEST_PAUSE);
    client.get_connection_manager_with_config(config).await
}

/// Runs a script.
pub(crate) async fn run(
    mut connection: impl ConnectionLike + Send,
    script: &Script,
    keys: &[impl AsRef<str> + Sync],
    arguments: &[impl AsRef<[u8]> + Sync],
) -> Result<Value, RedisError> {
    let mut call = script.prepare_invoke();
    for key in keys {
        call.key(key.as_ref());
    }
    for argument in arguments {
        call.arg(argument.as_ref());
    }
    call.invoke_async(&mut connection).await
}

/// Makes a call that may be repeated: once more where the connection turns out to be lost.
pub(crate) async fn again<T, F>(call: impl Fn() -> F + Send) -> Result<T, RedisError>
where
    F: Future<Output = Result<T, RedisError>> + Send,
{
    match call().await {
        Err(error) if is_lost(&error) && !error.is_timeout() => call().await,
        answer => answer,
    }
}
