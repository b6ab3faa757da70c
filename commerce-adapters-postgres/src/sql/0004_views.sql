-- Read models: what generations there are, how far they have followed the log, and a table for each, which
-- is made when the generation is defined: view_<name>_<generation>, with a column per field.

create table commerce.views (
    name        text collate "C" not null,
    generation  bigint           not null,
    live        boolean          not null,
    fields      json             not null, -- names, kinds and whether every document has them
    primary key (name, generation)
);
create unique index views_live on commerce.views (name) where live;

create table commerce.view_checkpoints (
    name        text collate "C" not null,
    generation  bigint           not null,
    slice       integer          not null,
    slices      integer          not null,
    tx          bigint           not null,
    position    bigint           not null,
    primary key (name, generation, slice, slices),
    foreign key (name, generation) references commerce.views on delete cascade
) with (fillfactor = 70);
