-- The last moment that had certainly come, and how long the machine had run then: an age that is measured by a clock is believed beside it.
-- `confirmed_us` is when a person last said that the clock is right.
create table clock_reading (
    id bigint primary key,
    at_us bigint not null,
    boot text not null,
    up_us bigint not null,
    confirmed_us bigint
);

-- How far the check of all stored bytes is: behind which blob it goes on, and what it has come by in this pass and in the last whole one.
create table scrub (
    id bigint primary key,
    began_us bigint not null,
    place text not null,
    is_done bigint not null,
    blobs bigint not null,
    bytes bigint not null,
    ended_us bigint,
    ended_blobs bigint not null,
    ended_bytes bigint not null
);

-- Stored bytes that are damaged or missing, until they are found whole again.
create table damaged_blob (
    blob text primary key,
    mail_id text not null,
    found_us bigint not null,
    why text not null
);

-- Which message needs a blob: asked before each removal, and by the check of all stored bytes.
create index message_blob on message (blob) where blob is not null;
