-- Applies a batch of commits in one call. Each is applied whole or refused whole; a refusal is a row, not
-- an exception, and leaves nothing behind.
--
-- 1. Locks. Advisory locks on the hashes of everything that the batch touches, sorted, before anything
--    assigns a transaction id. From here on no other batch can change what is read, so every statement
--    below sees the newest state, nothing deadlocks, and transaction ids have the order of versions.
-- 2. Checks, in the order that every store keeps: mark, lease and fence, version, key, pool. They only
--    read. A commit that fails one takes no part in the later ones.
-- 3. Writes of the commits that are left.
--
-- Every look-up is a lateral subquery that the planner cannot flatten ("offset 0", or a row lock): plans are
-- made once, often while tables are empty, and must go from the batch's rows to the table by its key.
--
-- Groups of parameters that a batch has no rows for are null.
--
-- The caller sees to it that two commits of one batch share nothing but pools, that rows are grouped by
-- commit in the order of arrival, and that they are sorted by their keys within a commit: the first row
-- that fails is then the smallest.

-- outcome: 0 applied · 1 mark there · 2 lease lost · 3 fenced · 4 stale · 5 taken · 6 unbalanced · 7 short
create type commerce.outcome as (
    item      integer,  -- which commit of the batch, from 1
    outcome   integer,
    place     integer,  -- which row of its parameter group was refused, from 1
    first     bigint,   -- actual version; fingerprint version; wanted
    second    bigint,   -- available
    kind      text,     -- owner of a taken key
    id        uuid,     -- owner of a taken key; fingerprint
    data      bytea,    -- result of a mark
    tx        bigint,
    position  bigint
);

create function commerce.commit(
    items        integer,
    wait         text,          -- lock_timeout; null leaves the caller's
    moment       timestamptz,   -- by which leases are judged; null for the server's clock
    locks        bigint[],      -- sorted
    shared       boolean[],
    m_item       integer[],     -- marks
    m_name       text[],
    m_version    integer[],
    m_hash       uuid[],
    m_result     bytea[],
    l_item       integer[],     -- leased timers
    l_name       text[],
    l_token      uuid[],
    f_item       integer[],     -- fences
    f_name       text[],
    f_token      bigint[],
    s_item       integer[],     -- streams, appended to or expected
    s_kind       text[],
    s_id         uuid[],
    s_expected   bigint[],
    s_added      bigint[],
    c_item       integer[],     -- keys to claim
    c_name       text[],
    c_kind       text[],
    c_id         uuid[],
    c_subject    uuid[],
    c_mixed      boolean[],     -- claimed for two owners at once
    r_item       integer[],     -- keys to release
    r_name       text[],
    r_kind       text[],
    r_id         uuid[],
    p_name       text[],        -- pools of the batch
    n_item       integer[],     -- net moves per commit and pool
    n_pool       integer[],     -- which pool of p_name
    n_available  bigint[],
    n_guarded    bigint[],
    n_held       bigint[],
    n_allocated  bigint[],
    n_guard      bigint[],      -- a floor that a hold carries
    n_floor      bigint[],      -- the floor to set
    n_consumes   boolean[],
    n_beyond     boolean[],     -- a sum that leaves 64 bits
    e_last       integer[],     -- per commit: the place of its last event, or 0
    e_item       integer[],     -- events
    e_kind       text[],
    e_id         uuid[],
    e_version    bigint[],
    e_event      uuid[],
    e_type       text[],
    e_schema     integer[],
    e_at         timestamptz[],
    e_correlation uuid[],
    e_causation  uuid[],
    e_actor      text[],
    e_personal   smallint[],
    e_data       bytea[],
    v_item       integer[],     -- personal values
    v_kind       text[],
    v_id         uuid[],
    v_version    bigint[],
    v_field      integer[],
    v_subject    uuid[],
    v_value      bytea[],
    x_item       integer[],     -- snapshots
    x_kind       text[],
    x_id         uuid[],
    x_version    bigint[],
    x_schema     integer[],
    x_data       bytea[],
    z_item       integer[],     -- subjects to erase
    z_subject    uuid[],
    t_item       integer[],     -- timers to set
    t_name       text[],
    t_kind       text[],
    t_due        timestamptz[],
    t_payload    bytea[],
    d_item       integer[],     -- timers to cancel
    d_name       text[]
) returns setof commerce.outcome
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
    refused      boolean[] := array_fill(false, array[items]);
    left_over    integer := items;      -- commits that are not refused
    ignored      text;
    hit          record;
    stale        bigint;
    newest       bigint;                -- the latest transaction of any stream of the batch
    touched      boolean[];             -- by a commit that is applied
    level_available  bigint[];              -- levels: as the commits so far leave them
    level_held       bigint[];
    level_allocated  bigint[];
    level_floor      bigint[];
    doomed       text[];
    released     boolean;
    now_available numeric;
    now_held     numeric;
    now_allocated numeric;
    guard        bigint;
    unbalanced   integer;
    short        integer[];
    wanted       bigint[];
    there        bigint[];
    item         integer;
    pool         integer;
    i            integer;
    first        integer;
    tx           bigint;
    positions    bigint[];
    end_tx       bigint := 0;
    end_position bigint := 0;
    subjects     uuid[];
    erasures     boolean := false;
    smallest     constant numeric := -9223372036854775808;
    largest      constant numeric := 9223372036854775807;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'a commit needs the isolation level read committed'
            using errcode = 'feature_not_supported';
    end if;
    if wait is not null then
        ignored := set_config('lock_timeout', wait, true);
    end if;
    perform case when u.shared then pg_advisory_xact_lock_shared(u.lock) else pg_advisory_xact_lock(u.lock) end
    from unnest(locks, shared) u(lock, shared);

    -- Marks.
    if cardinality(m_item) > 0 then
        for hit in
            select u.item, m.version, m.hash, m.result, m.tx, m.position
            from unnest(m_item, m_name) u(item, name)
            cross join lateral (select * from commerce.marks m where m.name = u.name offset 0) m
        loop
            refused[hit.item] := true;
            left_over := left_over - 1;
            return next (hit.item, 1, 0, hit.version, 0, null, hit.hash, hit.result, hit.tx, hit.position)::commerce.outcome;
        end loop;
    end if;

    -- Leases and fences; their rows are locked, so that they last until the commit does.
    if cardinality(l_item) > 0 then
        for hit in
            select u.item
            from unnest(l_item, l_name, l_token) u(item, name, token)
            left join lateral (
                select true as holds from commerce.timers t
                where t.name = u.name and t.token = u.token and t.ready > coalesce(moment, clock_timestamp())
                for update of t) t on true
            where t.holds is null and not refused[u.item]
        loop
            refused[hit.item] := true;
            left_over := left_over - 1;
            return next (hit.item, 2, 0, 0, 0, null, null, null, 0, 0)::commerce.outcome;
        end loop;
    end if;
    if cardinality(f_item) > 0 then
        for hit in
            select u.item
            from unnest(f_item, f_name, f_token) u(item, name, token)
            left join lateral (
                select true as holds from commerce.leases l
                where l.name = u.name and l.token = u.token and l.until > coalesce(moment, clock_timestamp())
                for share of l) l on true
            where l.holds is null and not refused[u.item]
        loop
            refused[hit.item] := true;
            left_over := left_over - 1;
            return next (hit.item, 3, 0, 0, 0, null, null, null, 0, 0)::commerce.outcome;
        end loop;
    end if;

    -- Versions.
    if cardinality(s_item) > 0 then
        select count(*) filter (where coalesce(s.version, 0) <> u.expected), max(s.tx)
        into stale, newest
        from unnest(s_id, s_kind, s_expected) u(id, kind, expected)
        left join lateral (
            select s.version, s.tx from commerce.streams s where s.id = u.id and s.kind = u.kind offset 0
            ) s on true;
        if stale > 0 then
            for hit in
                select u.item, u.place, coalesce(s.version, 0) as actual
                from unnest(s_item, s_id, s_kind, s_expected) with ordinality u(item, id, kind, expected, place)
                left join lateral (
                    select s.version from commerce.streams s where s.id = u.id and s.kind = u.kind offset 0
                    ) s on true
                where coalesce(s.version, 0) <> u.expected
                order by u.place
            loop
                if not refused[hit.item] then
                    refused[hit.item] := true;
                    left_over := left_over - 1;
                    return next (hit.item, 4, hit.place, hit.actual, 0, null, null, null, 0, 0)::commerce.outcome;
                end if;
            end loop;
        end if;
    end if;

    -- Keys: what its owner releases in the same commit is free.
    if cardinality(c_item) > 0 and left_over > 0 then
        for hit in
            select c.item, c.place, coalesce(k.kind, c.kind) as kind, coalesce(k.id, c.id) as id
            from unnest(c_item, c_name, c_kind, c_id, c_mixed) with ordinality
                 c(item, name, kind, id, mixed, place)
            left join lateral (
                select k.kind, k.id from commerce.keys k where k.name = c.name offset 0) k on true
            where c.mixed or k.id <> c.id or k.kind <> c.kind
            order by c.place
        loop
            released := exists (
                select from unnest(r_item, r_name, r_kind, r_id) r(item, name, kind, id)
                where r.item = hit.item and r.name = c_name[hit.place] and r.kind = hit.kind and r.id = hit.id);
            if not refused[hit.item] and (c_mixed[hit.place] or not released) then
                -- Of two claims at once one is refused; who has the key is told, or else who comes first.
                refused[hit.item] := true;
                left_over := left_over - 1;
                return next (
                    hit.item, 5, hit.place, 0, 0,
                    case when released then c_kind[hit.place] else hit.kind end,
                    case when released then c_id[hit.place] else hit.id end,
                    null, 0, 0
                )::commerce.outcome;
            end if;
        end loop;
    end if;

    -- Pools: commits in the order of arrival, each on what the ones before it left. Their rows are locked
    -- too, so that what somebody else writes without our locks is not lost.
    if cardinality(n_item) > 0 and left_over > 0 then
        select array_agg(l.available), array_agg(l.held), array_agg(l.allocated),
               array_agg(l.floor)
        into level_available, level_held, level_allocated, level_floor
        from (select coalesce(p.available, 0) as available,
                     coalesce(p.held, 0) as held, coalesce(p.allocated, 0) as allocated,
                     coalesce(p.floor, 0) as floor
              from unnest(p_name) with ordinality u(name, place)
              left join lateral (
                  select * from commerce.pools p where p.name = u.name for update) p on true
              order by u.place) l;
        touched := array_fill(false, array[cardinality(p_name)]);
        i := 1;
        while i <= cardinality(n_item) loop
            item := n_item[i];
            first := i;
            unbalanced := null;
            short := '{}';
            while n_item[i] = item loop
                if unbalanced is null and not refused[item] then
                    pool := n_pool[i];
                    now_available := level_available[pool]::numeric + n_available[i];
                    now_held := level_held[pool]::numeric + n_held[i];
                    now_allocated := level_allocated[pool]::numeric + n_allocated[i];
                    guard := coalesce(n_guard[i], n_floor[i], level_floor[pool]);
                    if n_beyond[i] or now_held < 0 or now_allocated < 0
                        or now_held > largest or now_allocated > largest
                        or now_available not between smallest and largest
                        or n_consumes[i] and now_available + now_held + now_allocated < 0
                    then
                        unbalanced := pool;
                    elsif n_guarded[i] < 0 and now_available < guard and cardinality(short) < 50 then
                        wanted[cardinality(short) + 1] := -n_guarded[i];
                        there[cardinality(short) + 1] :=
                            least(greatest(now_available - n_guarded[i] - guard, 0), largest);
                        short := short || pool;
                    end if;
                end if;
                i := i + 1;
            end loop;
            if refused[item] then
                continue;
            elsif unbalanced is not null then
                refused[item] := true;
                left_over := left_over - 1;
                return next (item, 6, unbalanced, 0, 0, null, null, null, 0, 0)::commerce.outcome;
            elsif cardinality(short) > 0 then
                refused[item] := true;
                left_over := left_over - 1;
                for k in 1 .. cardinality(short) loop
                    return next (item, 7, short[k], wanted[k], there[k], null, null, null, 0, 0)::commerce.outcome;
                end loop;
            else
                for k in first .. i - 1 loop
                    pool := n_pool[k];
                    level_available[pool] := level_available[pool]::numeric + n_available[k];
                    level_held[pool] := level_held[pool] + n_held[k];
                    level_allocated[pool] := level_allocated[pool] + n_allocated[k];
                    level_floor[pool] := coalesce(n_floor[k], level_floor[pool]);
                    touched[pool] := true;
                end loop;
            end if;
        end loop;
    end if;

    if left_over = 0 then
        return;
    end if;

    -- The transaction under which the events stand. Where a stream's last event stands under a later one
    -- than ours (the host's transaction got its id early), ours follow it; nobody else may do the same at
    -- once, so that the events of a commit stand together.
    tx := pg_current_xact_id()::text::bigint;
    if newest > tx then
        perform pg_advisory_xact_lock(hashtextextended('commerce.events', 0));
        tx := newest;
    end if;

    if cardinality(r_item) > 0 then
        doomed := array(
            select r.name from unnest(r_item, r_name, r_kind, r_id) r(item, name, kind, id)
            where not refused[r.item] and exists (
                select from commerce.keys k
                where k.name = r.name and k.kind = r.kind and k.id = r.id offset 0));
        delete from commerce.keys k where k.name = any (doomed);
    end if;
    if cardinality(c_item) > 0 then
        insert into commerce.keys as k (name, kind, id, subject)
        select c.name, c.kind, c.id, c.subject
        from unnest(c_item, c_name, c_kind, c_id, c_subject) c(item, name, kind, id, subject)
        where not refused[c.item]
        on conflict (name) do update set kind = excluded.kind, id = excluded.id, subject = excluded.subject;
        if cardinality(array_remove(c_subject, null)) > 0 then
            -- The personal key of an erased subject would bring back what was erased.
            doomed := array(
                select c.name from unnest(c_item, c_name, c_subject) c(item, name, subject)
                where not refused[c.item] and exists (
                    select from commerce.erased e where e.subject = c.subject offset 0));
            delete from commerce.keys k where k.name = any (doomed);
        end if;
    end if;

    if true = any (touched) then
        insert into commerce.pools (name, available, held, allocated, floor)
        select u.name, u.available, u.held, u.allocated, u.floor
        from unnest(p_name, touched, level_available, level_held, level_allocated, level_floor)
             u(name, touched, available, held, allocated, floor)
        where u.touched
        on conflict (name) do update
        set available = excluded.available, held = excluded.held, allocated = excluded.allocated,
            floor = excluded.floor;
    end if;

    if cardinality(e_item) > 0 then
        for i in 1 .. cardinality(e_item) loop
            positions[i] := nextval('commerce.event_position');
        end loop;
        insert into commerce.events
            (tx, position, id, kind, version, event_id, type, schema, at, correlation, causation, actor,
             personal, data)
        select tx, positions[e.place], e.id, e.kind, e.version, e.event, e.type, e.schema, e.at,
               e.correlation, e.causation, e.actor, e.personal, e.data
        from unnest(e_item, e_id, e_kind, e_version, e_event, e_type, e_schema, e_at, e_correlation,
                    e_causation, e_actor, e_personal, e_data) with ordinality
             e(item, id, kind, version, event, type, schema, at, correlation, causation, actor, personal,
               data, place)
        where not refused[e.item];
        insert into commerce.streams (id, kind, version, tx)
        select s.id, s.kind, s.expected + s.added, tx
        from unnest(s_item, s_id, s_kind, s_expected, s_added) s(item, id, kind, expected, added)
        where s.added > 0 and not refused[s.item]
        on conflict (id, kind) do update set version = excluded.version, tx = excluded.tx;
    end if;

    if cardinality(v_item) > 0 then
        insert into commerce.personal (id, kind, version, field, subject, value)
        select v.id, v.kind, v.version, v.field, v.subject,
               case when e.subject is null then v.value end
        from unnest(v_item, v_id, v_kind, v_version, v_field, v_subject, v_value)
             v(item, id, kind, version, field, subject, value)
        left join lateral (
            select e.subject from commerce.erased e where e.subject = v.subject offset 0) e on true
        where not refused[v.item];
    end if;

    if cardinality(x_item) > 0 then
        -- A snapshot made while its subject was being erased would bring the values back.
        erasures := exists (select from commerce.erased);
        insert into commerce.snapshots (id, kind, version, schema, data)
        select x.id, x.kind, x.version, x.schema, x.data
        from unnest(x_item, x_id, x_kind, x_version, x_schema, x_data)
             x(item, id, kind, version, schema, data)
        where not refused[x.item] and not (erasures and exists (
            select from (select p.subject from commerce.personal p
                         where p.id = x.id and p.kind = x.kind offset 0) p
            where exists (select from commerce.erased e where e.subject = p.subject offset 0)))
        on conflict (id, kind) do update
        set version = excluded.version, schema = excluded.schema, data = excluded.data;
    end if;

    if cardinality(z_item) > 0 then
        select array_agg(distinct z.subject) into subjects
        from unnest(z_item, z_subject) z(item, subject) where not refused[z.item];
        insert into commerce.erased (subject) select unnest(subjects) on conflict do nothing;
        update commerce.personal p set value = null where p.subject = any (subjects) and p.value is not null;
        delete from commerce.keys k where k.subject = any (subjects);
        delete from commerce.snapshots s using commerce.personal p
        where p.subject = any (subjects) and s.id = p.id and s.kind = p.kind;
    end if;

    if cardinality(d_item) > 0 then
        doomed := array(select d.name from unnest(d_item, d_name) d(item, name) where not refused[d.item]);
        delete from commerce.timers t where t.name = any (doomed);
    end if;
    if cardinality(t_item) > 0 then
        insert into commerce.timers (name, kind, due, ready, token, payload)
        select t.name, t.kind, t.due, t.due, null, t.payload
        from unnest(t_item, t_name, t_kind, t_due, t_payload) t(item, name, kind, due, payload)
        where not refused[t.item]
        on conflict (name) do update
        set due = excluded.due, ready = excluded.ready, token = null, payload = excluded.payload;
    end if;

    -- Where nothing was appended, the log's end is where it stands now.
    if 0 = any (e_last) then
        select e.tx, e.position into end_tx, end_position
        from commerce.events e order by e.tx desc, e.position desc limit 1;
    end if;
    if cardinality(m_item) > 0 then
        insert into commerce.marks (name, version, hash, result, tx, position)
        select m.name, m.version, m.hash, m.result,
               case when e_last[m.item] > 0 then tx else coalesce(end_tx, 0) end,
               coalesce(positions[nullif(e_last[m.item], 0)], end_position, 0)
        from unnest(m_item, m_name, m_version, m_hash, m_result) m(item, name, version, hash, result)
        where not refused[m.item];
    end if;
    for i in 1 .. items loop
        if not refused[i] then
            return next (
                i, 0, 0, 0, 0, null, null, null,
                case when e_last[i] > 0 then tx else coalesce(end_tx, 0) end,
                coalesce(positions[nullif(e_last[i], 0)], end_position, 0)
            )::commerce.outcome;
        end if;
    end loop;
end
$$;
