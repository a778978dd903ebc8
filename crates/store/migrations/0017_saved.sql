-- Queries of the explorer that people keep by a name; what is tracked stands on the first page with how much fitted it in the last day.
create table saved_query (
    name text primary key,
    query text not null,
    made_by text not null,
    made_us bigint not null,
    is_tracked bigint not null
);
