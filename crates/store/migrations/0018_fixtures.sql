-- The mails that show what a version of a detection must hit and what it must miss, as text for people to read.
create table detection_fixture (
    detection text not null,
    detection_version text not null,
    hit text not null,
    miss text not null,
    primary key (detection, detection_version)
);
