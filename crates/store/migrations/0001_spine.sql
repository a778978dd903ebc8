-- The record of every message, the ledger, and the releases. Portable text: bigint, text, no triggers, no JSON operators.
-- Times are microseconds since the epoch (UTC). A digest is 64 hexadecimal digits. JSON columns end in _json and are read whole.

create table message (
    mail_id text primary key,
    node text not null,
    received_us bigint not null,
    client_ip text not null,
    client_peer text not null,
    client_helo text not null,
    client_protocol text not null,
    login text,
    sender text not null,
    mail_params_json text not null,
    message_id text,
    subject text not null,
    header_from text not null,
    from_domain text not null,
    auto_submitted text,
    authentication_results_json text not null,
    received_count bigint not null,
    size_bytes bigint not null,
    sha256 text not null,
    body_sha256 text not null,
    text_sha256 text,
    url_domains_json text not null,
    ambiguities_json text not null,
    category text not null,
    ruleset text not null,
    policy text not null,
    containment_epoch bigint not null,
    engines_json text not null,
    facts_json text not null,
    is_partial bigint not null,
    is_normalised bigint not null,
    removed_fields_json text not null,
    blob text,
    timings_json text not null
);
create index message_received on message (received_us);
create index message_sha256 on message (sha256);
create index message_message_id on message (message_id);

create table part (
    mail_id text not null,
    part_no bigint not null,
    parent_no bigint,
    sha256 text not null,
    size_bytes bigint not null,
    family text not null,
    content_type text not null,
    declared text not null,
    name text not null,
    tail_json text not null,
    primary key (mail_id, part_no)
);
create index part_sha256 on part (sha256);

create table finding (
    mail_id text not null,
    finding_no bigint not null,
    detection text not null,
    detection_version text not null,
    engine text not null,
    category text not null,
    effect text not null,
    mode text not null,
    part_no bigint,
    family text not null,
    offset_bytes bigint,
    evidence text not null,
    previous_version text,
    previous_hit bigint,
    primary key (mail_id, finding_no)
);
create index finding_detection on finding (detection, detection_version, mail_id);

-- One row for each (message, recipient). `account` is where the ledger's last row for it ends.
create table unit (
    mail_id text not null,
    unit_no bigint not null,
    recipient text not null,
    domain text not null,
    direction text not null,
    rcpt_params_json text not null,
    disposition text not null,
    is_enforced bigint not null,
    reasons_json text not null,
    account text not null,
    moved_us bigint not null,
    reply text not null,
    primary key (mail_id, unit_no)
);
create index unit_account on unit (account, mail_id);
create index unit_domain on unit (domain, mail_id);
create index unit_recipient on unit (recipient, mail_id);

-- The double-entry ledger: each row takes one unit out of one account and puts it into another.
create table ledger (
    mail_id text not null,
    unit_no bigint not null,
    step bigint not null,
    at_us bigint not null,
    from_account text not null,
    to_account text not null,
    moved_by text not null,
    actor text not null,
    reason text not null,
    primary key (mail_id, unit_no, step)
);

-- A held unit by what a retry of the same client would look like (sender, recipient, Message-ID, body).
create table retry (
    retry_key text primary key,
    mail_id text not null,
    unit_no bigint not null,
    at_us bigint not null
);

create table release_item (
    release_id text primary key,
    mail_id text not null,
    unit_no bigint not null,
    state text not null,
    requested_us bigint not null,
    requested_by text not null,
    reason text not null,
    attempt bigint not null,
    repeats bigint not null,
    possibly_twice bigint not null,
    not_before_us bigint not null,
    lease_owner text not null,
    lease_until_us bigint not null,
    fence bigint not null,
    moved_us bigint not null,
    reply text not null,
    unique (mail_id, unit_no)
);
create index release_item_due on release_item (state, not_before_us);

create table release_attempt (
    release_id text not null,
    attempt bigint not null,
    fence bigint not null,
    started_us bigint not null,
    ended_us bigint,
    outcome text not null,
    reply text not null,
    primary key (release_id, attempt)
);

create table ruleset (
    ruleset text primary key,
    first_seen_us bigint not null,
    versions_json text not null
);

create table detection_source (
    detection text not null,
    detection_version text not null,
    first_seen_us bigint not null,
    detection_json text not null,
    source text not null,
    primary key (detection, detection_version)
);

create table policy_version (
    policy text primary key,
    first_seen_us bigint not null,
    policy_json text not null
);

-- What a purge removed from the ledger, so that the books still add up: signed, one row an account and purge.
create table closing_balance (
    closed_us bigint not null,
    account text not null,
    units bigint not null,
    mac text not null,
    primary key (closed_us, account)
);

-- Who may run a reconciler now: one row each, taken by compare-and-set on fence.
create table lease (
    name text primary key,
    holder text not null,
    fence bigint not null,
    until_us bigint not null
);
