-- Which entries of the audit log were written since which start of a history: a database that comes back from a backup
-- writes other entries under numbers that were told already, so what is told of them has another epoch. `first` is the
-- entry with which an epoch begins; -1 says that one is to begin at the next start, as in every backup.
create table event_epoch (
    first bigint primary key,
    epoch text not null
);
insert into event_epoch (first, epoch) values (-1, '');

-- Where a sink of events is: whoever is told more than a log may say is on record, and so is another under the same
-- name.
alter table event_sink add column destination text not null default '';
