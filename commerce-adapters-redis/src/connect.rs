//! The way to a server.

use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisError};

/// How often a lost connection is tried again for a call that waits for it; the next call tries anew.
const RETRIES: usize = 4;
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

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
