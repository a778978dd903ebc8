-- Who sends mail, the journal of the sentinel, what is contained, incidents and what they take back.

-- An identity is a seal, as carriers are. `answered` counts mails of ours to it that a person wrote.
create table identity (
    identity text primary key,
    kind text not null,
    first_seen_us bigint not null,
    last_seen_us bigint not null,
    mails bigint not null,
    answered bigint not null,
    last_bad_us bigint
);

alter table known_good_mail add column carrier text not null default '';
create index known_good_carrier_carrier on known_good_carrier (carrier);

-- What a suspicion is a function of. `event_key` names what an event is about, so that nothing is heard twice.
create table sentinel_event (
    seq bigint primary key,
    event_key text not null unique,
    at_us bigint not null,
    detection text not null,
    detection_version text not null,
    event_json text not null
);
create index sentinel_event_detection on sentinel_event (detection, detection_version, seq);

-- Each row is one change of the containment state; the last of a detection holds.
create table containment_change (
    epoch bigint primary key,
    at_us bigint not null,
    detection text not null,
    detection_version text not null,
    level text not null,
    until_us bigint,
    actor text not null,
    reason text not null
);
create index containment_change_detection on containment_change (detection, epoch);

-- Detections that nothing contains by itself.
create table pinned_detection (
    detection text primary key,
    pinned_us bigint not null,
    pinned_by text not null,
    reason text not null
);

create table incident (
    incident text primary key,
    title text not null,
    stage text not null,
    is_paused bigint not null,
    opened_us bigint not null,
    opened_by text not null,
    moved_us bigint not null,
    began_us bigint not null,
    contained_us bigint,
    resolved_us bigint,
    detection text not null,
    detection_version text not null,
    ruleset text not null,
    cause text not null,
    public_text text not null,
    owner text not null,
    next_update_us bigint,
    waves bigint not null,
    root text not null
);
create index incident_stage on incident (stage);

create table incident_unit (
    incident text not null,
    mail_id text not null,
    unit_no bigint not null,
    wave bigint not null,
    outcome text not null,
    outcome_us bigint,
    ruleset text not null,
    reason text not null,
    primary key (incident, mail_id, unit_no)
);
create index incident_unit_outcome on incident_unit (incident, outcome, mail_id);
create index incident_unit_mail on incident_unit (mail_id, unit_no);

create table incident_event (
    incident text not null,
    event_no bigint not null,
    at_us bigint not null,
    actor text not null,
    what text not null,
    text text not null,
    is_public bigint not null,
    primary key (incident, event_no)
);

-- Which public lines of an incident were told to whom.
create table announcement (
    incident text not null,
    event_no bigint not null,
    channel text not null,
    told_us bigint not null,
    reply text not null,
    primary key (incident, event_no, channel)
);
