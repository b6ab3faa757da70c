-- Marks are purged by their age, which follows the order in which they were written: a block range index
-- costs next to nothing per commit.
create index marks_at on commerce.marks using brin (at) with (pages_per_range = 32, autosummarize = on);
