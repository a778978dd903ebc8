-- In which order held mail goes out: by class, in a class each recipient in turn, and for a recipient oldest first.

alter table message add column correspondence text not null default 'person';

-- `class` 0 is what a person asked for; `turn` counts what waits for a recipient in a class.
alter table release_item add column recipient text not null default '';
alter table release_item add column class bigint not null default 0;
alter table release_item add column turn bigint not null default 0;
create index release_item_order on release_item (state, class, turn, release_id);
create index release_item_turn on release_item (recipient, class, state, turn);
