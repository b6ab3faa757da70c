-- How many events wait behind the oldest transaction in flight, and which session that is.
with oldest as materialized (
    select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as tx
),
hidden as (
    select count(*) as events
    from (select from commerce.events e where e.tx >= (select tx from oldest) limit 10000) e
),
-- Sessions show 32 bits of the id; the oldest one in flight is told apart by them.
blocker as (
    select a.pid as process, a.application_name as application, a.state, a.xact_start as start
    from pg_stat_activity a
    where a.backend_xid::text::bigint = (select tx from oldest) & 4294967295
    union all
    select 0, p.gid, 'prepared', p.prepared
    from pg_prepared_xacts p
    where p.transaction::text::bigint = (select tx from oldest) & 4294967295
    limit 1
)
select h.events, b.process, b.application, b.state,
       (extract(epoch from clock_timestamp() - b.start) * 1000000)::bigint as age
from hidden h left join blocker b on h.events > 0
