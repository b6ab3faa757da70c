-- $1, $2 behind this place · $3 at most so many · $4 which slice · $5 of how many
--
-- Transaction ids are given out in another order than transactions end, so only what lies below the oldest
-- one in flight is complete. The cursor is the pair: a lower transaction can hold a higher position.
with bound as materialized (
    select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as tx
),
page as materialized (
    select e.tx, e.position, e.kind, e.id, e.version, e.event_id, e.type, e.schema, e.at, e.correlation,
           e.causation, e.actor, e.data, p.fields, p.subjects, p.contents
    from commerce.events e
    left join lateral (
        select array_agg(p.field order by p.field) as fields, array_agg(p.subject order by p.field) as subjects,
               array_agg(p.value order by p.field) as contents
        from commerce.personal p
        where e.personal > 0 and p.id = e.id and p.kind = e.kind and p.version = e.version) p on true
    where (e.tx, e.position) > ($1::bigint, $2::bigint) and e.tx < (select tx from bound)
      and ($5::integer = 1
           or (get_byte(uuid_send(e.id), 14) * 256 + get_byte(uuid_send(e.id), 15)) % $5 = $4::integer)
    order by e.tx, e.position
    limit $3::bigint
)
select * from page
union all
-- Nothing to give: where the log ends, and whether it goes on behind a transaction in flight.
select coalesce(last.tx, 0), coalesce(last.position, 0), null, null,
       case when exists (
           select from commerce.events e
           where e.tx >= (select tx from bound) and (e.tx, e.position) > ($1, $2)
             and ($5 = 1
                  or (get_byte(uuid_send(e.id), 14) * 256 + get_byte(uuid_send(e.id), 15)) % $5 = $4)
       ) then 1 else 0 end,
       null, null, null, null, null, null, null, null, null, null, null
from (select 1) one
left join lateral (
    select e.tx, e.position from commerce.events e
    where e.tx < (select tx from bound) order by e.tx desc, e.position desc limit 1) last on true
where not exists (select from page)
order by 1, 2
