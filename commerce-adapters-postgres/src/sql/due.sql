-- $1 kinds of streams, all where empty · $2 at most so many · $3 the lease in microseconds
-- $4 the time, null for the server's clock
with moment as materialized (
    select coalesce($4::timestamptz, clock_timestamp()) as now
),
chosen as materialized (
    select t.name
    from commerce.timers t
    where t.due <= (select now from moment) and t.ready <= (select now from moment)
      and (cardinality($1::text[]) = 0 or t.kind = any ($1))
    order by t.due, t.name
    limit $2
    for update skip locked
),
given as (
    update commerce.timers t
    set token = gen_random_uuid(),
        ready = least((select now from moment) + $3 * interval '1 microsecond',
                      timestamptz '9999-12-31 23:59:59.999999+00')
    from chosen c
    where t.name = c.name
    returning t.name, t.due, t.payload, t.token
),
-- What was not given out: timers that are due now, where the limit cut them off; ends of leases; later ones.
others as (
    (select t.due as at from commerce.timers t
     where t.due <= (select now from moment) and t.ready <= (select now from moment)
       and (cardinality($1::text[]) = 0 or t.kind = any ($1))
       and (select count(*) from chosen) >= $2 and t.name not in (select name from chosen)
     order by t.due limit 1)
    union all
    (select min(t.ready) from commerce.timers t
     where t.due <= (select now from moment) and t.ready > (select now from moment)
       and (cardinality($1::text[]) = 0 or t.kind = any ($1)))
    union all
    (select t.due from commerce.timers t
     where t.due > (select now from moment) and (cardinality($1::text[]) = 0 or t.kind = any ($1))
     order by t.due limit 1)
)
select null::text as name, (select now from moment) as at, (select min(at) from others) as next,
       null::bytea as payload, null::uuid as token
union all
select g.name, g.due, null, g.payload, g.token from given g
