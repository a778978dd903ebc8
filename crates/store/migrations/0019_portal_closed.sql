-- Recipients whose links and sessions from before a moment no longer hold: one may be in the wrong hands.
create table portal_closed (
    address text primary key,
    closed_us bigint not null
);
