-- Rulesets as versions that are rolled out, modes that people set, the versions of engines, and content known to be good.

alter table detection_source add column page text not null default '';
-- What the gates that need a version's files said when it was built.
alter table ruleset add column gates_json text not null default '[]';

-- One row for each time that a version is published. `before_ruleset` is what was in force then, and is again when it is taken back.
create table rollout (
    rollout bigint primary key,
    ruleset text not null,
    before_ruleset text not null,
    stage text not null,
    since_us bigint not null,
    started_us bigint not null,
    started_by text not null,
    reason text not null,
    is_forced bigint not null,
    is_fast bigint not null,
    note text not null,
    gates_json text not null
);
create index rollout_stage on rollout (stage, rollout);

create table rollout_step (
    rollout bigint not null,
    step_no bigint not null,
    at_us bigint not null,
    from_stage text not null,
    to_stage text not null,
    step text not null,
    actor text not null,
    reason text not null,
    primary key (rollout, step_no)
);

create table detection_mode (
    detection text primary key,
    mode text not null,
    reason text not null,
    set_by text not null,
    set_us bigint not null,
    until_us bigint not null
);

-- What each engine said of itself when it first said so.
create table engine_version (
    engine text not null,
    version text not null,
    data_version text not null,
    first_seen_us bigint not null,
    primary key (engine, version, data_version)
);

-- Content of clean mail. The bytes of what is kept lie encrypted beside the database, under the same hash.
create table known_good_part (
    sha256 text primary key,
    family text not null,
    content_type text not null,
    declared text not null,
    name text not null,
    tail text not null,
    direction text not null,
    first_carrier text not null,
    size_bytes bigint not null,
    first_seen_us bigint not null,
    last_seen_us bigint not null,
    mails bigint not null,
    carriers bigint not null,
    last_bad_us bigint,
    is_kept bigint not null
);
create index known_good_part_family on known_good_part (family, sha256);
create index known_good_part_last on known_good_part (last_seen_us);

create table known_good_carrier (
    sha256 text not null,
    carrier text not null,
    first_seen_us bigint not null,
    primary key (sha256, carrier)
);

-- A bounded sample of whole clean mails, for detections that read more than parts.
create table known_good_mail (
    sha256 text primary key,
    mail_id text not null,
    seen_us bigint not null,
    size_bytes bigint not null,
    last_bad_us bigint,
    envelope_json text not null
);
create index known_good_mail_seen on known_good_mail (seen_us);
