-- By how much the remembered moment is later than running time proves; and which reading it is, so that a process replaces only the one that it has read.
alter table clock_reading add column unproven_us bigint not null default 0;
alter table clock_reading add column turn bigint not null default 0;
