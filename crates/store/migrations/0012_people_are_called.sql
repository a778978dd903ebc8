-- What people are called for. `alert_key` names what it is about, so that nobody is called twice for the same.
create table alert (
    alert bigint primary key,
    alert_key text not null unique,
    at_us bigint not null,
    kind text not null,
    subject text not null,
    text text not null,
    seen_us bigint,
    seen_by text not null
);
create index alert_seen on alert (seen_us, alert);

create table alert_told (
    alert bigint not null,
    channel text not null,
    told_us bigint not null,
    reply text not null,
    primary key (alert, channel)
);

-- How many messages each detection version hit in each hour: what a rate is compared with, and what charts are drawn from. `acted` are those
-- on which it could act.
create table hit_hour (
    hour_us bigint not null,
    detection text not null,
    detection_version text not null,
    hits bigint not null,
    acted bigint not null,
    primary key (detection, detection_version, hour_us)
);
create index hit_hour_hour on hit_hour (hour_us);

-- What people say of verdicts: that one was wrong, that one was missing, or, by releasing it, that a message is good.
create table submission (
    submission bigint primary key,
    at_us bigint not null,
    mail_id text not null,
    kind text not null,
    reporter text not null,
    comment text not null,
    incident text,
    acknowledged_us bigint,
    ended_us bigint,
    unique (mail_id, kind, reporter)
);
create table submission_about (
    submission bigint not null,
    detection text not null,
    detection_version text not null,
    at_us bigint not null,
    primary key (submission, detection)
);
create index submission_about_at on submission_about (at_us);

-- What of an entry of the audit log is about people: the log has only a commitment to it. Without its salt nobody can tell what it was.
create table audit_private (
    seq bigint primary key,
    salt text not null,
    private_json text not null
);
