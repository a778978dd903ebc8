-- Mail that a version on probation holds: what became of it is decided once. `came_us` is when the mail came, `at_us`
-- when it came to stand where it stands.
create table probation_mail (
    detection text not null,
    detection_version text not null,
    mail_id text not null,
    stage text not null,
    came_us bigint not null,
    at_us bigint not null,
    reason text not null,
    primary key (detection, detection_version, mail_id)
);
create index probation_mail_mail on probation_mail (mail_id);
create index probation_mail_stage on probation_mail (stage, came_us);
