-- A log in parts: PgStore::partition_log makes `commerce.events` a table of ranges of transactions, and
-- PgStore::archive takes closed ranges out of it.

-- Ranges that were archived; they are still read where somebody asks for what is that old.
create table commerce.archive (like commerce.events) partition by range (tx);
alter table commerce.archive add primary key (tx, position);

create table commerce.partitions (
    name   text collate "C" primary key,
    below  bigint not null unique,      -- holds transactions below this one
    state  text   not null check (state in ('live', 'archived', 'dropped'))
);

-- What the archived events left: with it and the rest of the log, an audit knows what the whole log says.
create table commerce.opening_keys (
    name     text collate "C" primary key,
    kind     text collate "C" not null,
    id       uuid             not null,
    subject  uuid
);
create index opening_keys_subject on commerce.opening_keys (subject) where subject is not null;

create table commerce.opening_pools (
    name       text collate "C" primary key,
    available  bigint not null,
    held       bigint not null,
    allocated  bigint not null,
    floor      bigint not null
);

create table commerce.opening_timers (
    name     text collate "C" primary key,
    kind     text collate "C" not null,
    due      timestamptz      not null,
    payload  bytea            not null
);

-- Where a subject is erased, its keys go from the opening entries too.
create function commerce.erase_opening() returns trigger language plpgsql as $$
begin
    delete from commerce.opening_keys k where k.subject = new.subject;
    return null;
end
$$;
create trigger erase_opening after insert on commerce.erased
for each row execute function commerce.erase_opening();

-- Behind which transaction the log can be read: a reader that stands before it has missed what was dropped.
create function commerce.readable_from(asked bigint) returns bigint language plpgsql stable as $$
declare
    first bigint;
begin
    select max(p.below) into first from commerce.partitions p where p.state = 'dropped';
    if asked < first - 1 then
        raise exception 'the log was archived and dropped below transaction %', first using errcode = 'invalid_parameter_value';
    end if;
    return asked;
end
$$;
