-- Texts as they are searched (domain::fold), where lower case of ASCII alone does not make them so: other letters, and names with A-labels. Most mail
-- has no row here. `field` is subject, sender, from, login, recipient or file, and `number` the unit's or the part's; under `mailbox` stands a recipient
-- as mailboxes are compared.
create table folded (
    mail_id text not null,
    field text not null,
    number bigint not null,
    folded text not null,
    primary key (mail_id, field, number)
);
create index folded_folded on folded (field, folded, mail_id);

-- Down to which message what came before this table has its rows; one row, made by the first round.
create table folded_reach (
    one bigint primary key,
    before_mail text not null
);
