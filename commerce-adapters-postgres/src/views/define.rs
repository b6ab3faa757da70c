//! Generations: made, switched to, removed.

use commerce_core::kernel::error::Effect;
use commerce_core::kernel::stream::Slice;
use commerce_core::port::view::{InvalidSchema, ViewError, ViewId, ViewSchema, ViewState};
use sqlx::{AssertSqlSafe, PgConnection, Row, raw_sql};

use super::PgViews;
use super::table::{LOOK_UP, Table, fields_as_json, read};
use crate::commit::position_of;
use crate::connections::Held;
use crate::error::{port_error, server_code};

const STATE: &str = "select v.generation, v.live, c.slice, c.slices, c.tx, c.position \
     from commerce.views v left join commerce.view_checkpoints c using (name, generation) \
     where v.name = $1 order by v.generation, c.slices, c.slice";
const INSERT: &str = "insert into commerce.views (name, generation, live, fields) \
     values ($1, $2, not exists (select from commerce.views where name = $1), $3::json)";

/// Whether a statement failed because its table is not there, or is not there any more.
pub(super) fn is_gone(error: &sqlx::Error) -> bool {
    server_code(error) == Some("42P01")
}

/// Refused, or failed.
enum Stopped {
    Refused(ViewError),
    Failed(sqlx::Error),
}

impl From<sqlx::Error> for Stopped {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error)
    }
}

pub(super) async fn state(views: &PgViews, view: &str) -> Result<ViewState, ViewError> {
    let sql = views.store.inner.settings.schema.sql(STATE);
    let rows = views.store.read("state", || sqlx::query(sql.clone()).bind(view)).await?;
    let mut state = ViewState::default();
    let mut read = |row: &sqlx::postgres::PgRow| -> Result<(), sqlx::Error> {
        let generation = number(row.try_get(0)?)?;
        if row.try_get(1)? {
            state.live = Some(generation);
        }
        if state.generations.last().is_none_or(|(last, _)| *last != generation) {
            state.generations.push((generation, Vec::new()));
        }
        let Some(slice) = row.try_get::<Option<i32>, _>(2)? else { return Ok(()) };
        let part = |number: i32| u16::try_from(number).unwrap_or_default();
        let slice = Slice::new(part(slice), part(row.try_get(3)?));
        let slice = slice.map_err(|error| sqlx::Error::Decode(error.into()))?;
        let position = position_of(row.try_get(4)?, row.try_get(5)?);
        if let Some((_, slices)) = state.generations.last_mut() {
            slices.push((slice, position));
        }
        Ok(())
    };
    let all = rows.iter().try_for_each(&mut read);
    all.map_err(|error| port_error("state", Effect::None, &error))?;
    // As slices are ordered everywhere.
    state.generations.iter_mut().for_each(|(_, slices)| slices.sort_unstable());
    Ok(state)
}

fn number(generation: i64) -> Result<u32, sqlx::Error> {
    u32::try_from(generation).map_err(|error| sqlx::Error::Decode(error.into()))
}

pub(super) async fn define(views: &PgViews, schema: ViewSchema) -> Result<(), ViewError> {
    let schema = schema.checked().map_err(|InvalidSchema(reason)| ViewError::Invalid(reason))?;
    let mut held = views.store.inner.connections.take("define").await?;
    let done = in_transaction(views, &mut held, schema.id(), async |connection, views| {
        let place = &views.store.inner.settings.schema;
        if let Some(live) = live(views, connection, schema.id()).await?
            && schema.id().generation < live
        {
            return Err(Stopped::Refused(ViewError::Retired { live }));
        }
        let generation = i64::from(schema.id().generation);
        let known = sqlx::query(place.sql(LOOK_UP)).bind(&*schema.id().name).bind(generation);
        if let Some(row) = known.fetch_optional(&mut *connection).await? {
            let (table, _) = read(place, &schema.id().name, &row)?;
            let same = table.schema == schema;
            return if same {
                Ok(())
            } else {
                Err(Stopped::Refused(ViewError::Differs(schema.id().name.clone())))
            };
        }
        for statement in Table::new(place, schema.clone()).creation() {
            run(connection, &statement).await?;
        }
        let insert = sqlx::query(place.sql(INSERT)).bind(&*schema.id().name).bind(generation);
        insert.bind(fields_as_json(&schema)).execute(connection).await?;
        Ok(())
    });
    finish("define", done.await, held)
}

pub(super) async fn switch(views: &PgViews, view: &ViewId) -> Result<(), ViewError> {
    let mut held = views.store.inner.connections.take("switch").await?;
    let done = in_transaction(views, &mut held, view, async |connection, views| {
        let place = &views.store.inner.settings.schema;
        let unknown = || Stopped::Refused(ViewError::Unknown(view.name.clone()));
        let live = live(views, connection, view).await?.ok_or_else(unknown)?;
        if view.generation < live {
            return Err(Stopped::Refused(ViewError::Retired { live }));
        }
        let all = "select generation from commerce.views where name = $1";
        let rows = sqlx::query(place.sql(all)).bind(&*view.name).fetch_all(&mut *connection).await?;
        let there: Result<Vec<u32>, sqlx::Error> = rows.iter().map(|row| number(row.try_get(0)?)).collect();
        let there = there?;
        if !there.contains(&view.generation) {
            return Err(unknown());
        }
        let delete = "delete from commerce.views where name = $1 and generation < $2";
        let delete = sqlx::query(place.sql(delete)).bind(&*view.name).bind(i64::from(view.generation));
        delete.execute(&mut *connection).await?;
        let live = "update commerce.views set live = true where name = $1 and generation = $2";
        let live = sqlx::query(place.sql(live)).bind(&*view.name).bind(i64::from(view.generation));
        live.execute(&mut *connection).await?;
        for earlier in there.into_iter().filter(|generation| *generation < view.generation) {
            let table = place.text(&format!("commerce.\"view_{}_{earlier}\"", view.name));
            run(connection, &format!("drop table {table}")).await?;
        }
        Ok(())
    });
    let done = done.await;
    views.forget(&view.name);
    finish("switch", done, held)
}

/// Runs work on a view in a transaction, alone on that view.
async fn in_transaction(
    views: &PgViews,
    held: &mut Held,
    view: &ViewId,
    work: impl AsyncFnOnce(&mut PgConnection, &PgViews) -> Result<(), Stopped>,
) -> Result<(), Stopped> {
    run(held, "begin").await?;
    let lock = format!("{}.view.{}", views.store.inner.settings.schema, view.name);
    let lock = sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 0))").bind(lock);
    let done = match lock.execute(&mut **held).await {
        Ok(_) => work(held, views).await,
        Err(error) => Err(error.into()),
    };
    run(held, if done.is_ok() { "commit" } else { "rollback" }).await?;
    done
}

async fn live(
    views: &PgViews,
    connection: &mut PgConnection,
    view: &ViewId,
) -> Result<Option<u32>, sqlx::Error> {
    let sql = views
        .store
        .inner
        .settings
        .schema
        .sql("select generation from commerce.views where name = $1 and live");
    let row = sqlx::query(sql).bind(&*view.name).fetch_optional(connection).await?;
    row.map(|row| number(row.try_get(0)?)).transpose()
}

/// Gives the connection back where its work came to an end that is known.
fn finish(operation: &'static str, done: Result<(), Stopped>, held: Held) -> Result<(), ViewError> {
    match done {
        Ok(()) => {
            held.keep();
            Ok(())
        }
        Err(Stopped::Refused(refused)) => {
            held.keep();
            Err(refused)
        }
        Err(Stopped::Failed(error)) => Err(port_error(operation, Effect::Unknown, &error).into()),
    }
}

async fn run(connection: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    // Made of constants, the schema's name and names of views and fields, all of which were checked.
    raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(drop)
}
