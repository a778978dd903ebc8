-- Which process goes on with a job over what a query fits, and until when; what it writes names its fence.
alter table bulk add column lease_owner text not null default '';
alter table bulk add column lease_until_us bigint not null default 0;
alter table bulk add column fence bigint not null default 0;
