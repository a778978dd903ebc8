-- Who tells people what: a notice is claimed before it is sent, so that two processes never send the same. `claim_key` names the notice;
-- nobody else may claim it before `lease_until_us`, which is far off once it was told.
create table notice_claim (
    claim_key text primary key,
    lease_owner text not null,
    lease_until_us bigint not null,
    fence bigint not null
);
create index notice_claim_lease on notice_claim (lease_until_us);
