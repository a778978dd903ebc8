-- What recipients ask for: the release of held mail that they may not release themselves. What became of it is the state of the unit.
create table release_request (
    mail_id text not null,
    unit_no bigint not null,
    asked_us bigint not null,
    asked_by text not null,
    reason text not null,
    primary key (mail_id, unit_no)
);
create index release_request_asked on release_request (asked_us);

-- Until which message each recipient was told what is held for them, and in which period.
create table quarantine_notice (
    address text primary key,
    period bigint not null,
    until_mail text not null,
    told_us bigint not null,
    reply text not null
);

-- Links to the portal that have been used: each opens it once.
create table portal_link (
    link_sha256 text primary key,
    until_us bigint not null
);
