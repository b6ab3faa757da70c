-- $1, $2 behind this place · $3 at most so many · $4 which slice · $5 of how many
--
-- The usual case of log.sql, whose rules it keeps: a page that is not empty.
select e.tx, e.position, e.kind, e.id, e.version, e.event_id, e.type, e.schema, e.at, e.correlation,
       e.causation, e.actor, e.data,
       case when e.personal > 0 then (
           select array_agg(p.field order by p.field) from commerce.personal p
           where p.id = e.id and p.kind = e.kind and p.version = e.version) end,
       case when e.personal > 0 then (
           select array_agg(p.subject order by p.field) from commerce.personal p
           where p.id = e.id and p.kind = e.kind and p.version = e.version) end,
       case when e.personal > 0 then (
           select array_agg(p.value order by p.field) from commerce.personal p
           where p.id = e.id and p.kind = e.kind and p.version = e.version) end
from (select tx, position, kind, id, version, event_id, type, schema, at, correlation, causation, actor, data, personal
      from commerce.archive
      union all
      select tx, position, kind, id, version, event_id, type, schema, at, correlation, causation, actor, data, personal
      from commerce.events) e
where (e.tx, e.position) > ($1::bigint, $2::bigint)
  -- Said once more, of the column alone, so that ranges that lie before it are not looked at.
  and e.tx >= $1
  and e.tx < (select pg_snapshot_xmin(pg_current_snapshot())::text::bigint)
  and (select commerce.readable_from($1)) is not null
  and ($5::integer = 1
       or (get_byte(uuid_send(e.id), 14) * 256 + get_byte(uuid_send(e.id), 15)) % $5 = $4::integer)
order by e.tx, e.position
limit $3::bigint
