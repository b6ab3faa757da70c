-- The next end of a lease, without a look at every timer that is due later. Only leased timers stand in it.
create index timers_leased on commerce.timers (ready) where token is not null;

-- One row for the clock and the next timer, one for every timer that is given out.
--
-- A function, because no planner knows that few timers are due: it would read them all where many are due
-- later or belong to other kinds.
create function commerce.due(
    kinds  text[],      -- of streams, all where empty
    most   bigint,
    lease  bigint,      -- microseconds
    asked  timestamptz  -- the time, null for the server's clock
) returns table (name text, at timestamptz, next timestamptz, payload bytea, token uuid)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
#variable_conflict use_column
begin
    return query
    with moment as materialized (
        select coalesce(asked, clock_timestamp()) as now
    ),
    chosen as materialized (
        select t.name
        from commerce.timers t
        where t.due <= (select now from moment) and t.ready <= (select now from moment)
          and (cardinality(kinds) = 0 or t.kind = any (kinds))
        order by t.due, t.name
        limit most
        for update skip locked
    ),
    given as (
        update commerce.timers t
        set token = gen_random_uuid(),
            ready = least((select now from moment) + lease * interval '1 microsecond',
                          timestamptz '9999-12-31 23:59:59.999999+00')
        where t.name = any (array(select c.name from chosen c))
        returning t.name, t.due, t.payload, t.token
    ),
    -- What was not given out: timers that are due now, where the limit cut them off; ends of leases; later ones.
    others as (
        (select t.due as at from commerce.timers t
         where t.due <= (select now from moment) and t.ready <= (select now from moment)
           and (cardinality(kinds) = 0 or t.kind = any (kinds))
           and (select count(*) from chosen) >= most and t.name not in (select name from chosen)
         order by t.due limit 1)
        union all
        (select t.ready from commerce.timers t
         where t.token is not null and t.due <= (select now from moment) and t.ready > (select now from moment)
           and (cardinality(kinds) = 0 or t.kind = any (kinds))
         order by t.ready limit 1)
        union all
        (select t.due from commerce.timers t
         where t.due > (select now from moment) and (cardinality(kinds) = 0 or t.kind = any (kinds))
         order by t.due limit 1)
    )
    select null::text, (select now from moment), (select min(o.at) from others o), null::bytea, null::uuid
    union all
    select g.name, g.due, null, g.payload, g.token from given g;
end
$$;
