//! Due timers, leased to one worker at a time.

use commerce_core::kernel::error::{Effect, PortError};
use commerce_core::kernel::timer::DueTimer;
use commerce_core::port::store::{Due, DueQuery, MAX_PAGE};
use commerce_core::value::time::Timestamp;
use redis::Value;
use uuid::Uuid;

use crate::RedisStore;
use crate::answer::{bytes, list, text};
use crate::error::{corrupt, port_error};
use crate::read::timer_key;
use crate::time::{micros, parse, sortable};

pub(crate) async fn due(store: &RedisStore, query: DueQuery) -> Result<Due, PortError> {
    let (now, end) = store.time.now_and_end(query.lease);
    let kinds = serde_json::to_string(&query.kinds).map_err(|_| corrupt("due"))?;
    let (span, limit) = (micros(query.lease).to_string(), query.limit.min(MAX_PAGE).to_string());
    let latest = sortable(Timestamp::MAX);
    let arguments = [&now, &end, &span, &limit, &kinds, &latest];
    let arguments: Vec<&[u8]> = arguments.iter().map(|argument| argument.as_bytes()).collect();
    let answer = store.run(&store.scripts.due, &arguments).await;
    let answer = answer.map_err(|error| port_error("due", Effect::Unknown, &error))?;
    read(&answer).ok_or_else(|| corrupt("due"))
}

fn read(answer: &Value) -> Option<Due> {
    let [now, next, timers] = list(answer)? else { return None };
    let next = text(next)?;
    let timers = list(timers)?.iter().map(|timer| {
        let [kind, id, label, due, payload, token] = list(timer)? else { return None };
        Some(DueTimer {
            key: timer_key(kind, id, label)?,
            due: parse(text(due)?)?,
            payload: bytes(payload)?.into(),
            token: Uuid::from_u128(text(token)?.parse().ok()?),
        })
    });
    Some(Due {
        now: parse(text(now)?)?,
        timers: timers.collect::<Option<_>>()?,
        next: if next.is_empty() { None } else { Some(parse(next)?) },
    })
}
