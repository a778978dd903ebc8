-- Who was told, in one mail, which messages an incident had kept from them.
create table incident_digest (
    incident text not null,
    address text not null,
    told_us bigint not null,
    reply text not null,
    primary key (incident, address)
);
