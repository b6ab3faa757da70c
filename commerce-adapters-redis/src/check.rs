//! Whether a server keeps what it is given.

use std::collections::HashMap;

use commerce_core::kernel::error::{Effect, PortError};
use redis::RedisError;
use redis::aio::ConnectionManager;

use crate::error::port_error;

/// What may make a server lose data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Risk {
    /// Nothing is written to an append-only file.
    #[error("appendonly is {0:?}, not \"yes\"")]
    NotPersistent(String),
    /// Keys are removed when memory is short.
    #[error("maxmemory-policy is {0:?}, not \"noeviction\"")]
    Evicts(String),
    /// The last write of the append-only file or the last snapshot failed.
    #[error("{0} is {1:?}, not \"ok\"")]
    FailedToWrite(&'static str, String),
    /// It does not tell its settings.
    #[error("the server does not tell its setting {0}")]
    Silent(&'static str),
}

/// A store cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The address cannot be read, or the server does not answer.
    #[error("the server cannot be asked")]
    Port(#[from] PortError),
    /// The server may lose data, and the settings do not accept that.
    #[error("the server may lose data")]
    Unsafe(#[from] Risk),
    /// The server belongs to a cluster, and streams with bare names would lie in several slots.
    #[error("streams with bare names need a server that is not of a cluster")]
    Clustered,
}

pub(crate) async fn keeps_data(connection: &ConnectionManager) -> Result<(), OpenError> {
    let appendonly = setting(connection, "appendonly").await?;
    if appendonly != "yes" {
        return Err(Risk::NotPersistent(appendonly).into());
    }
    let policy = setting(connection, "maxmemory-policy").await?;
    if policy != "noeviction" {
        return Err(Risk::Evicts(policy).into());
    }
    let info = info(connection, "persistence").await?;
    for field in ["aof_last_write_status", "aof_last_bgrewrite_status", "rdb_last_bgsave_status"] {
        let line = info.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        let status = line.unwrap_or("ok").trim();
        if status != "ok" {
            return Err(Risk::FailedToWrite(field, status.to_owned()).into());
        }
    }
    Ok(())
}

/// Whether any keys can be used together.
pub(crate) async fn has_one_slot(connection: &ConnectionManager) -> Result<(), OpenError> {
    let clustered = info(connection, "cluster").await?.lines().any(|line| line.trim() == "cluster_enabled:1");
    if clustered { Err(OpenError::Clustered) } else { Ok(()) }
}

async fn info(connection: &ConnectionManager, section: &str) -> Result<String, OpenError> {
    let mut connection = connection.clone();
    let info: Result<String, RedisError> = redis::cmd("INFO").arg(section).query_async(&mut connection).await;
    info.map_err(|error| port_error("open", Effect::None, &error).into())
}

async fn setting(connection: &ConnectionManager, name: &'static str) -> Result<String, OpenError> {
    let mut connection = connection.clone();
    let answer: Result<HashMap<String, String>, RedisError> =
        redis::cmd("CONFIG").arg("GET").arg(name).query_async(&mut connection).await;
    match answer {
        Ok(mut settings) => settings.remove(name).ok_or_else(|| Risk::Silent(name).into()),
        // Where the command is renamed or not permitted, nobody can tell.
        Err(error) if error.code().is_some() => Err(Risk::Silent(name).into()),
        Err(error) => Err(port_error("open", Effect::None, &error).into()),
    }
}
