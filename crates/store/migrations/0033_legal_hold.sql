-- Mail that neither expires nor is deleted until a person lifts the hold. `looked` is the message up to which the record was
-- looked through for it; `is_looked` says whether that was all of it.
create table legal_hold (
    hold bigint primary key,
    kind text not null,
    what text not null,
    reason text not null,
    made_by text not null,
    made_us bigint not null,
    lifted_us bigint,
    lifted_by text not null,
    lifted_reason text not null,
    looked text not null,
    is_looked bigint not null
);
create index legal_hold_open on legal_hold (kind, hold) where lifted_us is null;

-- Mail that was found to be on a hold: so that it is counted, shown and passed over. Whether a mail may be removed is asked of the
-- holds themselves, in the transaction that removes it.
create table legal_hold_mail (
    mail_id text not null,
    hold bigint not null,
    primary key (mail_id, hold)
);
create index legal_hold_mail_hold on legal_hold_mail (hold, mail_id);

-- One row that whoever makes a hold and whoever removes mail change first: so one of them waits for the other.
create table legal_hold_turn (
    id bigint primary key,
    turn bigint not null
);
insert into legal_hold_turn (id, turn) values (1, 0);
