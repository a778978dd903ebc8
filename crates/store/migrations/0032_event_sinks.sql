-- Lines of incidents have their place in the order of commits: the batch of the journal that was written with them. Those
-- of before have none, and are told nobody.
alter table incident_event add column batch bigint not null default -1;
create index incident_event_batch on incident_event (batch);

-- To whom events are told, and how far: the number of the first entry of the audit log of which it has not taken
-- everything. `content` is what it is told beyond what a log may say, by names.
create table event_sink (
    name text primary key,
    position bigint not null,
    content text not null,
    taken_us bigint not null
);
