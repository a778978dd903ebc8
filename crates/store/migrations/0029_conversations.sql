-- Which domain stands behind an identity: 'ours' for all of our accounts, else a seal over the domain, which addresses at one provider share. Empty for
-- those that have not written since this column.
alter table identity add column node text not null default '';

-- Clean mails by a seal over their Message-ID: who sent them. What answers them names them.
create table conversation_mail (
    message text primary key,
    identity text not null,
    node text not null,
    at_us bigint not null
);
create index conversation_mail_at on conversation_mail (at_us);

-- Contents of clean mails that answer others: which domain has answered which mail with which content.
create table conversation_answer (
    sha256 text not null,
    node text not null,
    answered text not null,
    identity text not null,
    at_us bigint not null,
    primary key (sha256, node, answered)
);
create index conversation_answer_at on conversation_answer (at_us);
