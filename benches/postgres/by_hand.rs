//! The same rows written by hand through sqlx, without the library's checks.

use std::sync::Arc;

use commerce_adapters_postgres::sqlx::postgres::{PgPool, PgPoolOptions};
use commerce_adapters_postgres::sqlx::{self, Postgres, query::Query};
use commerce_benches::order::{Order, stock};
use commerce_core::port::store::Store;
use commerce_tests::server::Cluster;
use uuid::Uuid;

use crate::database;
use crate::rate::Place;

/// A pool of the kind that a host has.
#[derive(Clone)]
pub(crate) struct Hand {
    pool: PgPool,
}

const EVENT: &str = "insert into commerce.events (tx, position, id, kind, version, event_id, type, schema, at, \
    correlation, actor, personal, data) values (pg_current_xact_id()::text::bigint, \
    nextval('commerce.event_position'), $1, 'order', $2, $3, 'OrderPlaced', 1, now(), $1, '\"system\"', 0, $4)";
const STREAM: &str = "insert into commerce.streams (id, kind, version, tx) \
    values ($1, 'order', 2, pg_current_xact_id()::text::bigint)";
const HOLD: &str = "update commerce.pools set available = available - 1, held = held + 1 \
    where name = $1 and available - 1 >= floor";
const KEY: &str = "insert into commerce.keys (name, kind, id) values ($1, 'order', $2)";
const MARK: &str = "insert into commerce.marks (name, version, hash, result, tx, position) \
    values ($1, 1, $2, '{}', 0, 0)";
const TIMER: &str = "insert into commerce.timers (name, kind, due, ready, payload) \
    values ($1, 'order', now() + interval '9 years', now() + interval '9 years', '{}')";
/// Everything at once: what a careful host would write.
pub(crate) const ALL: &str = "with held as materialized (
        select name from commerce.pools where name = any ($1) order by name for update),
    hold as (update commerce.pools p set available = available - 1, held = p.held + 1
        from held h where p.name = h.name and available - 1 >= floor returning 1),
    stream as (insert into commerce.streams (id, kind, version, tx)
        values ($2, 'order', 2, pg_current_xact_id()::text::bigint)),
    event as (insert into commerce.events (tx, position, id, kind, version, event_id, type, schema, at,
            correlation, actor, personal, data)
        select pg_current_xact_id()::text::bigint, nextval('commerce.event_position'), $2, 'order', v, e,
            'OrderPlaced', 1, now(), $2, '\"system\"', 0, d from unnest($3::bigint[], $4::uuid[], $5::bytea[]) u(v, e, d)),
    key as (insert into commerce.keys (name, kind, id) values ($6, 'order', $2)),
    mark as (insert into commerce.marks (name, version, hash, result, tx, position) values ($7, 1, $2, '{}', 0, 0)),
    timer as (insert into commerce.timers (name, kind, due, ready, payload)
        values ($8, 'order', now() + interval '9 years', now() + interval '9 years', '{}'))
    select count(*) from hold";

/// One event of a new stream and the stream's head.
pub(crate) const EVENTS_ONLY: &str = "with stream as (insert into commerce.streams (id, kind, version, tx)
        values ($1, 'order', 1, pg_current_xact_id()::text::bigint))
    insert into commerce.events (tx, position, id, kind, version, event_id, type, schema, at, correlation, actor,
        personal, data)
    values (pg_current_xact_id()::text::bigint, nextval('commerce.event_position'), $1, 'order', 1, $2,
        'OrderPlaced', 1, now(), $1, '\"system\"', 0, $3)";

fn names(order: Order) -> (String, String, String) {
    let stream = order.id(1);
    (
        format!("order-number/N-{}", order.number),
        format!("command/{}", order.id(4)),
        format!("order:{stream}#payment"),
    )
}

type Call<'q> = Query<'q, Postgres, sqlx::postgres::PgArguments>;

impl Hand {
    pub(crate) async fn new(cluster: &Cluster, name: &str) -> Self {
        let options = database(cluster, name).options([("plan_cache_mode", "force_generic_plan")]);
        let pool = PgPoolOptions::new().max_connections(16).test_before_acquire(false);
        let pool = pool.connect_with(options.clone()).await.unwrap();
        let store = commerce_adapters_postgres::PgStore::new(
            options,
            commerce_adapters_postgres::Settings::default(),
        );
        store.migrate().await.unwrap();
        store.commit(stock()).await.unwrap();
        sqlx::query("analyze").execute(&pool).await.unwrap();
        Self { pool }
    }

    /// Where there is so much of a pool and no more.
    pub(crate) async fn stocked(self, name: &str, available: i64) -> Self {
        let supply = "update commerce.pools set available = $2 where name = $1";
        sqlx::query(supply).bind(name).bind(available).execute(&self.pool).await.unwrap();
        self
    }

    /// (a) BEGIN, a statement per row, COMMIT.
    pub(crate) fn transaction(self) -> Place {
        Arc::new(move |order| {
            let pool = self.pool.clone();
            Box::pin(async move {
                let mut transaction = pool.begin().await.unwrap();
                let (key, mark, timer) = names(order);
                let mut calls: Vec<Call<'_>> = vec![
                    sqlx::query(STREAM).bind(order.id(1)),
                    sqlx::query(EVENT).bind(order.id(1)).bind(1_i64).bind(order.id(2)).bind(order.data()),
                    sqlx::query(EVENT).bind(order.id(1)).bind(2_i64).bind(order.id(3)).bind(order.data()),
                ];
                let mut pools = order.pools();
                pools.sort();
                calls.extend(pools.into_iter().map(|pool| sqlx::query(HOLD).bind(pool)));
                calls.push(sqlx::query(KEY).bind(key).bind(order.id(1)));
                calls.push(sqlx::query(MARK).bind(mark).bind(order.id(1)));
                calls.push(sqlx::query(TIMER).bind(timer));
                for call in calls {
                    call.execute(&mut *transaction).await.unwrap();
                }
                transaction.commit().await.unwrap();
                1
            })
        })
    }

    /// (b) One statement.
    pub(crate) fn statement(self) -> Place {
        Arc::new(move |order| {
            let pool = self.pool.clone();
            Box::pin(async move {
                let (key, mark, timer) = names(order);
                let call = sqlx::query(ALL).bind(order.pools().to_vec()).bind(order.id(1));
                let call = call.bind(vec![1_i64, 2]).bind(vec![order.id(2), order.id(3)]);
                let call = call.bind(vec![order.data(), order.data()]).bind(key).bind(mark).bind(timer);
                call.fetch_all(&pool).await.unwrap();
                1
            })
        })
    }

    /// (c) A hundred orders per transaction, a statement per table; checks nothing.
    pub(crate) fn batched(self) -> Place {
        Arc::new(move |order| {
            let pool = self.pool.clone();
            Box::pin(async move {
                let orders: Vec<Order> = (0..100).map(|more| Order::new(order.number + more)).collect();
                let mut transaction = pool.begin().await.unwrap();
                for call in batch(&orders) {
                    call.execute(&mut *transaction).await.unwrap();
                }
                transaction.commit().await.unwrap();
                100
            })
        })
    }

    /// Conditional UPDATEs and the event in a transaction; gives 0 where a pool is short.
    pub(crate) fn hot(self, pools: fn(Order) -> Vec<String>) -> Place {
        Arc::new(move |order| {
            let pool = self.pool.clone();
            Box::pin(async move {
                let mut transaction = pool.begin().await.unwrap();
                let calls = [
                    sqlx::query(STREAM).bind(order.id(1)),
                    sqlx::query(EVENT).bind(order.id(1)).bind(1_i64).bind(order.id(2)).bind(order.data()),
                ];
                for call in calls {
                    call.execute(&mut *transaction).await.unwrap();
                }
                // The rows that everybody wants come last, so that they are locked for the shortest time.
                let mut pools = pools(order);
                pools.sort();
                for pool in pools {
                    let held = sqlx::query(HOLD).bind(pool).execute(&mut *transaction).await.unwrap();
                    if held.rows_affected() == 0 {
                        transaction.rollback().await.unwrap();
                        return 0;
                    }
                }
                transaction.commit().await.unwrap();
                1
            })
        })
    }
}

fn batch(orders: &[Order]) -> Vec<Call<'static>> {
    let ids: Vec<Uuid> = orders.iter().map(|order| order.id(1)).collect();
    let names: Vec<_> = orders.iter().map(|order| names(*order)).collect();
    let pools: Vec<String> = orders.iter().flat_map(|order| order.pools()).collect();
    let twice: Vec<Uuid> = ids.iter().flat_map(|id| [*id, *id]).collect();
    let events: Vec<Uuid> = orders.iter().flat_map(|order| [order.id(2), order.id(3)]).collect();
    let versions: Vec<i64> = orders.iter().flat_map(|_| [1, 2]).collect();
    let data: Vec<Vec<u8>> = orders.iter().flat_map(|order| [order.data(), order.data()]).collect();
    let keys: Vec<String> = names.iter().map(|(key, _, _)| key.clone()).collect();
    let marks: Vec<String> = names.iter().map(|(_, mark, _)| mark.clone()).collect();
    let timers: Vec<String> = names.into_iter().map(|(_, _, timer)| timer).collect();
    vec![
        sqlx::query("select from commerce.pools where name = any ($1) order by name for update").bind(pools.clone()),
        sqlx::query("update commerce.pools p set available = available - n, held = held + n \
             from (select name, count(*) as n from unnest($1::text[]) u(name) group by name) u \
             where p.name = u.name").bind(pools),
        sqlx::query("insert into commerce.streams (id, kind, version, tx) \
             select id, 'order', 2, pg_current_xact_id()::text::bigint from unnest($1::uuid[]) u(id)").bind(ids.clone()),
        sqlx::query("insert into commerce.events (tx, position, id, kind, version, event_id, type, schema, at, \
             correlation, actor, personal, data) select pg_current_xact_id()::text::bigint, \
             nextval('commerce.event_position'), id, 'order', v, e, 'OrderPlaced', 1, now(), id, '\"system\"', 0, d \
             from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bytea[]) u(id, v, e, d)")
            .bind(twice).bind(versions).bind(events).bind(data),
        sqlx::query("insert into commerce.keys (name, kind, id) select n, 'order', id \
             from unnest($1::text[], $2::uuid[]) u(n, id)").bind(keys).bind(ids.clone()),
        sqlx::query("insert into commerce.marks (name, version, hash, result, tx, position) \
             select n, 1, id, '{}', 0, 0 from unnest($1::text[], $2::uuid[]) u(n, id)").bind(marks).bind(ids),
        sqlx::query("insert into commerce.timers (name, kind, due, ready, payload) \
             select n, 'order', now() + interval '9 years', now() + interval '9 years', '{}' \
             from unnest($1::text[]) u(n)").bind(timers),
    ]
}
