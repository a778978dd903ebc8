-- The message because of whose verdict an entry was made: when the verdict is taken back, so is the entry.
alter table entry add column caused_by text;
create index entry_caused_by on entry (caused_by);
