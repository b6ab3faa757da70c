-- Reads everything that a decision needs. One statement of the caller and a function that only reads, so
-- all of it comes from one snapshot.
--
-- part: 1 stream · 2 event · 3 key · 4 pool · 5 mark · 6 directory; `place` is the question's, from 1.
create type commerce.loaded as (
    part         integer,
    place        integer,
    tx           bigint,
    position     bigint,
    kind         text,
    id           uuid,
    version      bigint,       -- of the stream's head, of the event; of the fingerprint
    event_id     uuid,         -- of the event; hash of the fingerprint
    type         text,         -- of the event; name of a key
    schema       integer,      -- of the event, of the snapshot
    at           timestamptz,
    correlation  uuid,
    causation    uuid,
    actor        text,
    data         bytea,        -- of the event, of the snapshot; result of a mark
    fields       integer[],    -- personal values of the event
    subjects     uuid[],
    contents     bytea[],
    levels       bigint[]      -- of a pool; version of a snapshot
);

create function commerce.load(
    s_kind    text[],
    s_id      uuid[],
    s_after   bigint[],
    s_schema  integer[],
    k_name    text[],
    p_name    text[],
    m_name    text[],
    d_from    text[],
    d_to      text[],
    d_limit   integer[]
) returns setof commerce.loaded
language plpgsql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
begin
    if cardinality(s_id) > 0 then
        return query
        select 1, q.place::integer, null::bigint, null::bigint, null::text, null::uuid, s.version,
               null::uuid, null::text, n.schema, null::timestamptz, null::uuid, null::uuid, null::text,
               n.data, null::integer[], null::uuid[], null::bytea[], array[n.version]
        from unnest(s_kind, s_id, s_after, s_schema) with ordinality q(kind, id, after, schema, place)
        cross join lateral (
            select s.version from commerce.streams s where s.id = q.id and s.kind = q.kind offset 0) s
        left join lateral (
            select * from commerce.snapshots n
            where n.id = q.id and n.kind = q.kind and n.schema = q.schema and n.version > q.after
            offset 0) n on true;
        return query
        select 2, q.place::integer, e.tx, e.position, e.kind, e.id, e.version, e.event_id, e.type, e.schema,
               e.at, e.correlation, e.causation, e.actor, e.data, p.fields, p.subjects, p.contents,
               null::bigint[]
        from unnest(s_kind, s_id, s_after, s_schema) with ordinality q(kind, id, after, schema, place)
        left join lateral (
            select n.version from commerce.snapshots n
            where n.id = q.id and n.kind = q.kind and n.schema = q.schema and n.version > q.after
            offset 0) n on true
        cross join lateral (
            select e.* from commerce.events e
            where e.id = q.id and e.kind = q.kind and e.version > coalesce(n.version, q.after)
            order by e.version) e
        left join lateral (
            select array_agg(p.field order by p.field) as fields,
                   array_agg(p.subject order by p.field) as subjects,
                   array_agg(p.value order by p.field) as contents
            from commerce.personal p
            where e.personal > 0 and p.id = e.id and p.kind = e.kind and p.version = e.version) p on true;
    end if;
    if cardinality(k_name) > 0 then
        return query
        select 3, q.place::integer, null::bigint, null::bigint, k.kind, k.id, null::bigint, null::uuid,
               null::text, null::integer, null::timestamptz, null::uuid, null::uuid, null::text,
               null::bytea, null::integer[], null::uuid[], null::bytea[], null::bigint[]
        from unnest(k_name) with ordinality q(name, place)
        cross join lateral (select * from commerce.keys k where k.name = q.name offset 0) k;
    end if;
    if cardinality(p_name) > 0 then
        return query
        select 4, q.place::integer, null::bigint, null::bigint, null::text, null::uuid, null::bigint,
               null::uuid, null::text, null::integer, null::timestamptz, null::uuid, null::uuid, null::text,
               null::bytea, null::integer[], null::uuid[], null::bytea[],
               array[p.available, p.held, p.allocated, p.floor]
        from unnest(p_name) with ordinality q(name, place)
        cross join lateral (select * from commerce.pools p where p.name = q.name offset 0) p;
    end if;
    if cardinality(m_name) > 0 then
        return query
        select 5, q.place::integer, m.tx, m.position, null::text, null::uuid, m.version::bigint, m.hash,
               null::text, null::integer, null::timestamptz, null::uuid, null::uuid, null::text, m.result,
               null::integer[], null::uuid[], null::bytea[], null::bigint[]
        from unnest(m_name) with ordinality q(name, place)
        cross join lateral (select * from commerce.marks m where m.name = q.name offset 0) m;
    end if;
    if cardinality(d_from) > 0 then
        return query
        select 6, q.place::integer, null::bigint, null::bigint, k.kind, k.id, null::bigint, null::uuid,
               k.name, null::integer, null::timestamptz, null::uuid, null::uuid, null::text, null::bytea,
               null::integer[], null::uuid[], null::bytea[], null::bigint[]
        from unnest(d_from, d_to, d_limit) with ordinality q(lowest, highest, most, place)
        cross join lateral (
            select k.name, k.kind, k.id from commerce.keys k
            where k.name >= q.lowest and k.name <= q.highest
            order by k.name limit q.most) k
        order by q.place, k.name;
    end if;
end
$$;
