//! One call: a batch of commits goes out, a result for each comes back.

use std::sync::Arc;

use commerce_core::kernel::commit::Receipt;
use commerce_core::kernel::error::{CommitError, Shortage};
use commerce_core::kernel::mark::{Fingerprint, Handled};
use commerce_core::kernel::stream::{Position, StreamId, Version};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row, SqlStr};
use uuid::Uuid;

use super::fill::{Columns, int};
use super::lock::{Lock, sorted};
use super::prepared::Prepared;
use crate::error::corrupt;
use crate::types::Moment;

/// The call itself, one placeholder per parameter of the function.
pub(crate) fn statement() -> String {
    let parameters: Vec<String> = (1..=78).map(|number| format!("${number}")).collect();
    format!("select * from commerce.commit({})", parameters.join(", "))
}

/// What came of a commit.
pub(crate) type Outcome = Result<Receipt, CommitError>;

/// Applies a batch whose items share nothing but pools.
///
/// Every row is awaited up to the end of the call: the first rows come before the commit is durable.
pub(crate) async fn apply(
    connection: &mut PgConnection,
    statement: &SqlStr,
    batch: &[Arc<Prepared>],
    wait: Option<&str>,
    moment: Option<Moment>,
) -> Result<Vec<Outcome>, sqlx::Error> {
    let mut columns = Columns::default();
    for (prepared, item) in batch.iter().zip(1..) {
        columns.add(item, prepared);
    }
    let locks: Vec<Lock> = match batch {
        [only] => only.locks.clone(),
        many => sorted(many.iter().flat_map(|prepared| prepared.locks.iter().copied()).collect()),
    };
    let pools: Vec<String> = columns.pools.name.iter().map(|name| (*name).to_owned()).collect();
    let call = sqlx::query(statement.clone())
        .bind(int(batch.len()))
        .bind(wait)
        .bind(moment)
        .bind(locks.iter().map(|lock| lock.key).collect::<Vec<_>>())
        .bind(locks.iter().map(|lock| lock.shared).collect::<Vec<_>>());
    let call = columns.marks.bind(call);
    let call = columns.leases.bind(call);
    let call = columns.fences.bind(call);
    let call = columns.streams.bind(call);
    let call = columns.claims.bind(call);
    let call = columns.releases.bind(call);
    let call = columns.pools.bind(call);
    let call = columns.events.bind(call);
    let call = columns.values.bind(call);
    let call = columns.snapshots.bind(call);
    let call = columns.erasures.bind(call);
    let call = columns.timers.bind(call);
    let call = columns.cancels.bind(call);
    let rows = call.fetch_all(connection).await?;
    outcomes(&rows, batch, &pools)
}

fn outcomes(rows: &[PgRow], batch: &[Arc<Prepared>], pools: &[String]) -> Result<Vec<Outcome>, sqlx::Error> {
    let mut outcomes: Vec<Option<Outcome>> = batch.iter().map(|_| None).collect();
    let firsts: Vec<usize> = batch
        .iter()
        .scan(0, |before, prepared| {
            let first = *before;
            *before += prepared.streams.len();
            Some(first)
        })
        .collect();
    let claims: Vec<_> = batch.iter().flat_map(|prepared| &prepared.claims).collect();
    for row in rows {
        let item = place(row, 0)?;
        let (Some(prepared), Some(slot)) = (batch.get(item), outcomes.get_mut(item)) else {
            return Err(nonsense());
        };
        let code: i32 = row.try_get(1)?;
        let at = row.try_get::<i32, _>(2).ok().and_then(|place| usize::try_from(place - 1).ok());
        match code {
            0 => *slot = Some(Ok(Receipt { position: position(row)? })),
            1 => *slot = Some(Err(handled(row, prepared)?)),
            2 | 3 => *slot = Some(Err(lost(code, prepared).ok_or_else(nonsense)?)),
            4 => {
                let first = firsts.get(item).copied().unwrap_or(0);
                let at = at.and_then(|at| prepared.streams.get(at.checked_sub(first)?));
                let stale = at.ok_or_else(nonsense)?;
                let actual = Version::new(u64::try_from(row.try_get::<i64, _>(3)?).unwrap_or(0));
                *slot = Some(Err(CommitError::Stale {
                    stream: stale.stream.clone(),
                    expected: stale.expected,
                    actual,
                }));
            }
            5 => {
                let taken = at.and_then(|at| claims.get(at)).ok_or_else(nonsense)?;
                let owner = StreamId::new(row.try_get::<String, _>(5)?, row.try_get::<Uuid, _>(6)?);
                *slot = Some(Err(CommitError::Taken { key: taken.key.clone(), owner }));
            }
            _ => pool_refusal(slot, code, row, at.and_then(|at| pools.get(at)).ok_or_else(nonsense)?)?,
        }
    }
    outcomes.into_iter().map(|outcome| outcome.ok_or_else(nonsense)).collect()
}

fn pool_refusal(slot: &mut Option<Outcome>, code: i32, row: &PgRow, pool: &str) -> Result<(), sqlx::Error> {
    let pool = commerce_core::kernel::pool::PoolKey::new(pool);
    if code == 6 {
        *slot = Some(Err(CommitError::Unbalanced(pool)));
        return Ok(());
    }
    let shortage = Shortage { pool, wanted: row.try_get(3)?, available: row.try_get(4)? };
    match slot {
        Some(Err(CommitError::Short(all))) => all.push(shortage),
        _ => *slot = Some(Err(CommitError::Short(vec![shortage]))),
    }
    Ok(())
}

fn handled(row: &PgRow, prepared: &Prepared) -> Result<CommitError, sqlx::Error> {
    let mark = prepared.commit.mark.as_ref().ok_or_else(nonsense)?;
    let handled = handled_of(row.try_get(3)?, row.try_get(6)?, row.try_get::<&[u8], _>(7)?, position(row)?);
    Ok(if handled.fingerprint.agrees_with(mark.fingerprint) {
        CommitError::AlreadyHandled(handled)
    } else {
        CommitError::KeyReused(mark.key.clone())
    })
}

/// A mark as it is stored.
pub(crate) fn handled_of(version: i64, hash: Uuid, result: &[u8], position: Position) -> Handled {
    let fingerprint = Fingerprint { version: u16::try_from(version).unwrap_or(u16::MAX), hash };
    Handled { fingerprint, result: result.into(), position }
}

fn lost(code: i32, prepared: &Prepared) -> Option<CommitError> {
    if code == 2 {
        prepared.commit.lease.as_ref().map(|(timer, _)| CommitError::LeaseLost(timer.clone()))
    } else {
        prepared.commit.fence.as_ref().map(|fence| CommitError::Fenced(fence.name.clone()))
    }
}

fn position(row: &PgRow) -> Result<Position, sqlx::Error> {
    Ok(position_of(row.try_get(8)?, row.try_get(9)?))
}

/// A place in the log.
pub(crate) fn position_of(tx: i64, position: i64) -> Position {
    Position::from_parts(u64::try_from(tx).unwrap_or(0), u64::try_from(position).unwrap_or(0))
}

fn place(row: &PgRow, index: usize) -> Result<usize, sqlx::Error> {
    usize::try_from(row.try_get::<i32, _>(index)? - 1).map_err(|_| nonsense())
}

fn nonsense() -> sqlx::Error {
    sqlx::Error::Decode(Box::new(corrupt("commit")))
}
