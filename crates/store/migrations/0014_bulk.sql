-- Acts on everything that a query fits. `place` is where it goes on: what it has come by is done, and doing it again changes nothing.
create table bulk (
    bulk bigint primary key,
    verb text not null,
    query text not null,
    domains_json text,
    actor text not null,
    reason text not null,
    made_us bigint not null,
    stage text not null,
    moved_us bigint not null,
    place text not null
);
create index bulk_stage on bulk (stage, bulk);

create table bulk_item (
    bulk bigint not null,
    mail_id text not null,
    unit_no bigint not null,
    recipient text not null,
    outcome text not null,
    reply text not null,
    primary key (bulk, mail_id, unit_no)
);
create index bulk_item_outcome on bulk_item (bulk, outcome, mail_id);
