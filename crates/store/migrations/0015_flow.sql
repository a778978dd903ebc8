-- How many units of the messages of each hour are of which direction, category, disposition and state: of each domain, and under '*' of all.
-- Replaced an hour at a time, never added to.
create table flow_hour (
    hour_us bigint not null,
    domain text not null,
    direction text not null,
    category text not null,
    disposition text not null,
    account text not null,
    units bigint not null
);
create index flow_hour_sum on flow_hour (domain, hour_us, direction, category, disposition, account, units);
create index flow_hour_hour on flow_hour (hour_us);

-- Which of these sums hold. `stamp` counts changes to messages of an hour that is over; `rolled` is the stamp that its sums are of.
create table flow_mark (
    hour_us bigint primary key,
    stamp bigint not null,
    rolled bigint not null
);

-- Until where hours have sums at all; one row.
create table flow_reach (
    one bigint primary key,
    until_us bigint not null
);
