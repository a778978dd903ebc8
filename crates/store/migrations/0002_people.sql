-- Who may do what over the API, and who did what: an append-only Merkle log (RFC 6962 hashing).

create table api_token (
    token_id text primary key,
    secret_sha256 text not null unique,
    name text not null,
    role text not null,
    domains_json text,
    created_us bigint not null,
    created_by text not null,
    expires_us bigint not null,
    revoked_us bigint
);

create table audit_leaf (
    seq bigint primary key,
    at_us bigint not null,
    actor text not null,
    action text not null,
    object text not null,
    entry_json text not null
);
create index audit_leaf_object on audit_leaf (object, seq);

create table audit_head (
    id bigint primary key,
    size bigint not null,
    frontier_json text not null,
    root text not null,
    seal text not null
);
