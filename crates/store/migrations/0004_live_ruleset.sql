-- Which ruleset was in force from when on, so that a changed detection's earlier form can be run beside it.

create table ruleset_live (
    since_us bigint not null,
    ruleset text not null,
    primary key (since_us, ruleset)
);
