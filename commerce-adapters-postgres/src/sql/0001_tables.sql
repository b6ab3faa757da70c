-- Everything of the library lives in one schema. The name is replaced where another one is configured.
--
-- Texts that are compared or ordered are so by their bytes (collation "C"), as in every other store.
-- Transaction ids are kept as bigint, because drivers rarely know xid8; they come from
-- pg_current_xact_id(), which has 64 bits and never wraps.

-- The head of every stream: an append checks and moves it under the stream's lock.
create table commerce.streams (
    id       uuid             not null,
    kind     text collate "C" not null,
    version  bigint           not null check (version > 0),
    tx       bigint           not null,     -- under which the last event stands in the log
    primary key (id, kind)
) with (fillfactor = 70);

create sequence commerce.event_position as bigint;

-- The log. Readers follow it by the pair (tx, position), below the oldest transaction in flight.
create table commerce.events (
    tx           bigint           not null,
    position     bigint           not null,
    id           uuid             not null, -- of the stream
    kind         text collate "C" not null, -- of the stream
    version      bigint           not null,
    event_id     uuid             not null,
    type         text collate "C" not null,
    schema       integer          not null,
    at           timestamptz      not null,
    correlation  uuid             not null,
    causation    uuid,
    actor        text             not null,
    personal     smallint         not null, -- how many personal values stand beside it
    data         bytea            not null, -- JSON as it was written: jsonb would reorder and round it
    primary key (tx, position),
    unique (id, kind, version)
);

-- Personal values, erasable by subject; the row stays, so that an event keeps its form.
create table commerce.personal (
    id       uuid             not null,
    kind     text collate "C" not null,
    version  bigint           not null,
    field    integer          not null,
    subject  uuid             not null,
    value    bytea,
    primary key (id, kind, version, field)
);
create index personal_subject on commerce.personal (subject);

-- Subjects whose later values are refused too.
create table commerce.erased (
    subject  uuid        primary key,
    at       timestamptz not null default now()
);

create table commerce.snapshots (
    id       uuid             not null,
    kind     text collate "C" not null,
    version  bigint           not null,
    schema   integer          not null,
    data     bytea            not null,
    primary key (id, kind)
);

-- Unique keys by `scope/key`.
create table commerce.keys (
    name     text collate "C" primary key,
    kind     text collate "C" not null,     -- of the owner
    id       uuid             not null,     -- of the owner
    subject  uuid
);
create index keys_subject on commerce.keys (subject) where subject is not null;

-- No other index and room on the page: every update stays on its page (HOT).
create table commerce.pools (
    name       text collate "C" primary key,
    available  bigint not null default 0,
    held       bigint not null default 0 check (held >= 0),
    allocated  bigint not null default 0 check (allocated >= 0),
    floor      bigint not null default 0
) with (fillfactor = 70);

-- Timers by `kind:id#name`. `ready` is `due`, or the end of the lease while there is one.
create table commerce.timers (
    name     text collate "C" primary key,
    kind     text collate "C" not null,
    due      timestamptz      not null,
    ready    timestamptz      not null,
    token    uuid,
    payload  bytea            not null
);
create index timers_due on commerce.timers (due, name);

-- What was handled, by `scope/id`, with the end of the log behind it.
create table commerce.marks (
    name      text collate "C" primary key,
    version   integer     not null,         -- of the fingerprint
    hash      uuid        not null,
    result    bytea       not null,
    tx        bigint      not null,
    position  bigint      not null,
    at        timestamptz not null default now()
);

-- Named leases; the row stays when a lease ends, so that tokens grow.
create table commerce.leases (
    name   text collate "C" primary key,
    token  bigint not null,
    until  timestamptz
);

-- For people: the log with its payloads as JSON. Personal values stand in `personal`.
create view commerce.readable_events as
select tx, position, kind, id, version, event_id, type, schema, at, correlation, causation, actor,
       convert_from(data, 'UTF8') as data
from commerce.events;
