//! Sessions that all processes share.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::kernel::error::{Effect, PortError, PortErrorKind};
use commerce_core::port::session::{Expected, Session, SessionKey, SessionStore, SessionWrite};
use redis::Script;

use crate::answer::{bytes, list, number};
use crate::error::{PORT, corrupt, port_error};
use crate::link::{Link, SideSettings, millis};

/// Sessions on a Redis server, which ends those that nobody uses.
///
/// A server that evicts, that does not persist, or whose replica takes over may lose sessions: their holders
/// begin anew. Clones share one connection.
#[derive(Clone)]
pub struct RedisSessions {
    link: Link,
    scripts: Arc<[Script; 2]>,
}

impl RedisSessions {
    /// The sessions of a shop on the server at this address. Asks it nothing yet.
    ///
    /// # Errors
    ///
    /// Where the address cannot be read.
    pub fn open(url: &str, settings: SideSettings) -> Result<Self, PortError> {
        let scripts = [include_str!("scripts/session_get.lua"), include_str!("scripts/session_put.lua")]
            .map(Script::new);
        Ok(Self { link: Link::to(url, settings)?, scripts: Arc::new(scripts) })
    }
}

impl fmt::Debug for RedisSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSessions").field("link", &self.link).finish_non_exhaustive()
    }
}

#[async_trait]
impl SessionStore for RedisSessions {
    async fn get(&self, key: &SessionKey) -> Result<Option<Session>, PortError> {
        let ([get, _], name) = (&*self.scripts, self.link.key("session", key.as_str()));
        let answer = self.link.run_again(get, &[&name], &[]).await;
        let answer = answer.map_err(|error| port_error("get", Effect::Unknown, &error))?;
        let read = match list(&answer) {
            Some([]) => return Ok(None),
            Some([data, revision]) => bytes(data).zip(number(revision)),
            _ => None,
        };
        let (data, revision) = read.ok_or_else(|| corrupt("get"))?;
        Ok(Some(Session { data: data.into(), revision }))
    }

    async fn put(&self, key: &SessionKey, write: SessionWrite) -> Result<Option<u64>, PortError> {
        if write.idle < Duration::from_millis(1) {
            return Err(PortError::new(PortErrorKind::Invalid, Effect::None, PORT, "put"));
        }
        let ([_, put], name) = (&*self.scripts, self.link.key("session", key.as_str()));
        let expected = match write.expected {
            Expected::Any => String::new(),
            Expected::New => "0".to_owned(),
            // No session has the revision zero.
            Expected::Revision(0) => return Ok(None),
            Expected::Revision(revision) => revision.to_string(),
        };
        let idle = millis(write.idle);
        let answer = self.link.run(put, &[&name], &[&write.data, idle.as_bytes(), expected.as_bytes()]).await;
        let answer = answer.map_err(|error| port_error("put", Effect::Unknown, &error))?;
        let revision: u64 = number(&answer).ok_or_else(|| corrupt("put"))?;
        Ok((revision > 0).then_some(revision))
    }

    async fn remove(&self, key: &SessionKey) -> Result<bool, PortError> {
        let name = self.link.key("session", key.as_str());
        let answer = self.link.send(redis::cmd("DEL").arg(name)).await;
        let answer = answer.map_err(|error| port_error("remove", Effect::Unknown, &error))?;
        Ok(number::<u32>(&answer).ok_or_else(|| corrupt("remove"))? > 0)
    }
}
