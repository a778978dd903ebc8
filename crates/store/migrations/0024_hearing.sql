-- Who reads the ledger in the order in which its batches were committed, and how far: the last line that was read, by batch and message.
create table listening (
    name text primary key,
    batch bigint not null,
    mail_id text not null
);
-- Where there was none, the sentinel goes on an hour before the newest line.
insert into listening (name, batch, mail_id)
    select 'sentinel', coalesce(max(batch), -1), '' from ledger
    where at_us < (select coalesce(max(at_us), 0) from ledger) - 3600000000;

-- Messages whose record could not be read when it was their turn: tried again, with growing rests, while those behind them are heard.
create table unheard (
    mail_id text primary key,
    tries bigint not null,
    next_us bigint not null,
    fault text not null
);
create index unheard_next on unheard (next_us);

-- A content of a message testifies against a suspect once. Empty where it is the message that testifies; null for lines that are no hits, and for
-- hits of before this column, which event_key keeps apart.
alter table sentinel_event add column mail_id text;
alter table sentinel_event add column content text;
create unique index sentinel_event_testimony on sentinel_event (detection, detection_version, mail_id, content);
