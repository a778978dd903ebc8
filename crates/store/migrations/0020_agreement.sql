-- What somebody wants done that takes two persons: done when somebody else asks for the same before its time is over.
create table agreement (
    what text not null,
    object text not null,
    actor text not null,
    reason text not null,
    asked_us bigint not null,
    primary key (what, object)
);
