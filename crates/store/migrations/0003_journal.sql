-- Each group commit is one leaf of the audit log: the digest of the ledger rows that it wrote. `batch` says which rows those
-- were (-1: before there was a journal); `verdict` is the digest of the verdict that a row rests on, empty if none.

alter table ledger add column batch bigint not null default -1;
alter table ledger add column verdict text not null default '';
create index ledger_batch on ledger (batch);

-- Where the log begins since its oldest entries were pruned: the tree over what is gone, sealed.
create table audit_checkpoint (
    id bigint primary key,
    size bigint not null,
    frontier_json text not null,
    ledger_rows bigint not null,
    purged_rows bigint not null,
    seal text not null
);
