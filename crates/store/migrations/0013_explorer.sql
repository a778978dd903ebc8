-- What the explorer asks for by an index, newest first.
create index message_sender on message (lower(sender), mail_id);
create index message_client on message (client_ip, mail_id);
create index unit_recipient_lower on unit (lower(recipient), mail_id);
create index finding_code on finding (detection, mail_id);

-- Who may sign in to the console. A password is kept as an argon2id hash; whoever has none yet has an invitation, of which the digest is kept.
create table person (
    name text primary key,
    role text not null,
    domains_json text,
    password text,
    totp text,
    invitation_sha256 text,
    invitation_until_us bigint,
    made_us bigint not null,
    made_by text not null,
    disabled_us bigint
);
create index person_invitation on person (invitation_sha256);

create table session (
    session_sha256 text primary key,
    person text not null,
    began_us bigint not null,
    seen_us bigint not null,
    until_us bigint not null,
    client text not null
);
create index session_person on session (person);
