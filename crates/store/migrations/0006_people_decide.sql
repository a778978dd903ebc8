-- Allow and block entries. What has ended stays, so that a verdict that names it can be read.
create table entry (
    entry bigint primary key,
    is_allow bigint not null,
    kind text not null,
    subject text not null,
    reach text not null,
    whom text not null,
    clears_malware bigint not null,
    owner text not null,
    reason text not null,
    made_us bigint not null,
    expires_us bigint not null,
    removed_us bigint,
    removed_by text,
    last_used_us bigint
);
create index entry_expires on entry (expires_us);

-- The links of a message: host and what follows it.
alter table message add column urls_json text not null default '[]';

-- Senders of our own who were told that their mail is held.
create table sender_notice (
    mail_id text primary key,
    sender text not null,
    told_us bigint not null,
    reply text not null
);
create index sender_notice_sender on sender_notice (sender, told_us);

-- Who has written to whom, as seals: whether a mail is the first between two.
create table contact (
    pair text primary key,
    first_us bigint not null,
    last_us bigint not null
);
create index contact_last on contact (last_us);
