CREATE TABLE schema_version (version bigint primary key, name text not null, applied_us bigint not null);
CREATE TABLE message (
    mail_id text primary key,
    node text not null,
    received_us bigint not null,
    client_ip text not null,
    client_peer text not null,
    client_helo text not null,
    client_protocol text not null,
    login text,
    sender text not null,
    mail_params_json text not null,
    message_id text,
    subject text not null,
    header_from text not null,
    from_domain text not null,
    auto_submitted text,
    authentication_results_json text not null,
    received_count bigint not null,
    size_bytes bigint not null,
    sha256 text not null,
    body_sha256 text not null,
    text_sha256 text,
    url_domains_json text not null,
    ambiguities_json text not null,
    category text not null,
    ruleset text not null,
    policy text not null,
    containment_epoch bigint not null,
    engines_json text not null,
    facts_json text not null,
    is_partial bigint not null,
    is_normalised bigint not null,
    removed_fields_json text not null,
    blob text,
    timings_json text not null
, urls_json text not null default '[]', correspondence text not null default 'person');
CREATE INDEX message_received on message (received_us);
CREATE INDEX message_sha256 on message (sha256);
CREATE INDEX message_message_id on message (message_id);
CREATE TABLE part (
    mail_id text not null,
    part_no bigint not null,
    parent_no bigint,
    sha256 text not null,
    size_bytes bigint not null,
    family text not null,
    content_type text not null,
    declared text not null,
    name text not null,
    tail_json text not null,
    primary key (mail_id, part_no)
);
CREATE INDEX part_sha256 on part (sha256);
CREATE TABLE finding (
    mail_id text not null,
    finding_no bigint not null,
    detection text not null,
    detection_version text not null,
    engine text not null,
    category text not null,
    effect text not null,
    mode text not null,
    part_no bigint,
    family text not null,
    offset_bytes bigint,
    evidence text not null,
    previous_version text,
    previous_hit bigint,
    primary key (mail_id, finding_no)
);
CREATE INDEX finding_detection on finding (detection, detection_version, mail_id);
CREATE TABLE unit (
    mail_id text not null,
    unit_no bigint not null,
    recipient text not null,
    domain text not null,
    direction text not null,
    rcpt_params_json text not null,
    disposition text not null,
    is_enforced bigint not null,
    reasons_json text not null,
    account text not null,
    moved_us bigint not null,
    reply text not null,
    primary key (mail_id, unit_no)
);
CREATE INDEX unit_account on unit (account, mail_id);
CREATE INDEX unit_domain on unit (domain, mail_id);
CREATE INDEX unit_recipient on unit (recipient, mail_id);
CREATE TABLE ledger (
    mail_id text not null,
    unit_no bigint not null,
    step bigint not null,
    at_us bigint not null,
    from_account text not null,
    to_account text not null,
    moved_by text not null,
    actor text not null,
    reason text not null, batch bigint not null default -1, verdict text not null default '',
    primary key (mail_id, unit_no, step)
);
CREATE TABLE retry (
    retry_key text primary key,
    mail_id text not null,
    unit_no bigint not null,
    at_us bigint not null
);
CREATE TABLE release_item (
    release_id text primary key,
    mail_id text not null,
    unit_no bigint not null,
    state text not null,
    requested_us bigint not null,
    requested_by text not null,
    reason text not null,
    attempt bigint not null,
    repeats bigint not null,
    possibly_twice bigint not null,
    not_before_us bigint not null,
    lease_owner text not null,
    lease_until_us bigint not null,
    fence bigint not null,
    moved_us bigint not null,
    reply text not null, recipient text not null default '', class bigint not null default 0, turn bigint not null default 0,
    unique (mail_id, unit_no)
);
CREATE INDEX release_item_due on release_item (state, not_before_us);
CREATE TABLE release_attempt (
    release_id text not null,
    attempt bigint not null,
    fence bigint not null,
    started_us bigint not null,
    ended_us bigint,
    outcome text not null,
    reply text not null,
    primary key (release_id, attempt)
);
CREATE TABLE ruleset (
    ruleset text primary key,
    first_seen_us bigint not null,
    versions_json text not null
, gates_json text not null default '[]');
CREATE TABLE detection_source (
    detection text not null,
    detection_version text not null,
    first_seen_us bigint not null,
    detection_json text not null,
    source text not null, page text not null default '',
    primary key (detection, detection_version)
);
CREATE TABLE policy_version (
    policy text primary key,
    first_seen_us bigint not null,
    policy_json text not null
);
CREATE TABLE closing_balance (
    closed_us bigint not null,
    account text not null,
    units bigint not null,
    mac text not null,
    primary key (closed_us, account)
);
CREATE TABLE lease (
    name text primary key,
    holder text not null,
    fence bigint not null,
    until_us bigint not null
);
CREATE TABLE api_token (
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
CREATE TABLE audit_leaf (
    seq bigint primary key,
    at_us bigint not null,
    actor text not null,
    action text not null,
    object text not null,
    entry_json text not null
);
CREATE INDEX audit_leaf_object on audit_leaf (object, seq);
CREATE TABLE audit_head (
    id bigint primary key,
    size bigint not null,
    frontier_json text not null,
    root text not null,
    seal text not null
);
CREATE INDEX ledger_batch on ledger (batch);
CREATE TABLE audit_checkpoint (
    id bigint primary key,
    size bigint not null,
    frontier_json text not null,
    ledger_rows bigint not null,
    purged_rows bigint not null,
    seal text not null
);
CREATE TABLE ruleset_live (
    since_us bigint not null,
    ruleset text not null,
    primary key (since_us, ruleset)
);
CREATE TABLE rollout (
    rollout bigint primary key,
    ruleset text not null,
    before_ruleset text not null,
    stage text not null,
    since_us bigint not null,
    started_us bigint not null,
    started_by text not null,
    reason text not null,
    is_forced bigint not null,
    is_fast bigint not null,
    note text not null,
    gates_json text not null
);
CREATE INDEX rollout_stage on rollout (stage, rollout);
CREATE TABLE rollout_step (
    rollout bigint not null,
    step_no bigint not null,
    at_us bigint not null,
    from_stage text not null,
    to_stage text not null,
    step text not null,
    actor text not null,
    reason text not null,
    primary key (rollout, step_no)
);
CREATE TABLE detection_mode (
    detection text primary key,
    mode text not null,
    reason text not null,
    set_by text not null,
    set_us bigint not null,
    until_us bigint not null
);
CREATE TABLE engine_version (
    engine text not null,
    version text not null,
    data_version text not null,
    first_seen_us bigint not null,
    primary key (engine, version, data_version)
);
CREATE TABLE known_good_part (
    sha256 text primary key,
    family text not null,
    content_type text not null,
    declared text not null,
    name text not null,
    tail text not null,
    direction text not null,
    first_carrier text not null,
    size_bytes bigint not null,
    first_seen_us bigint not null,
    last_seen_us bigint not null,
    mails bigint not null,
    carriers bigint not null,
    last_bad_us bigint,
    is_kept bigint not null
);
CREATE INDEX known_good_part_family on known_good_part (family, sha256);
CREATE INDEX known_good_part_last on known_good_part (last_seen_us);
CREATE TABLE known_good_carrier (
    sha256 text not null,
    carrier text not null,
    first_seen_us bigint not null,
    primary key (sha256, carrier)
);
CREATE TABLE known_good_mail (
    sha256 text primary key,
    mail_id text not null,
    seen_us bigint not null,
    size_bytes bigint not null,
    last_bad_us bigint,
    envelope_json text not null
, carrier text not null default '');
CREATE INDEX known_good_mail_seen on known_good_mail (seen_us);
CREATE TABLE entry (
    entry bigint primary key,
    is_allow bigint not null,
    kind text not null,
    subject text not null,
    reach text not null,
    whom text not null,
    clears_malware bigint not null,
    owner text not null,
    reason text not null,
    made_us bigint not null,
    expires_us bigint not null,
    removed_us bigint,
    removed_by text,
    last_used_us bigint
, caused_by text);
CREATE INDEX entry_expires on entry (expires_us);
CREATE TABLE sender_notice (
    mail_id text primary key,
    sender text not null,
    told_us bigint not null,
    reply text not null
);
CREATE INDEX sender_notice_sender on sender_notice (sender, told_us);
CREATE TABLE contact (
    pair text primary key,
    first_us bigint not null,
    last_us bigint not null
);
CREATE INDEX contact_last on contact (last_us);
CREATE TABLE identity (
    identity text primary key,
    kind text not null,
    first_seen_us bigint not null,
    last_seen_us bigint not null,
    mails bigint not null,
    answered bigint not null,
    last_bad_us bigint
, node text not null default '');
CREATE INDEX known_good_carrier_carrier on known_good_carrier (carrier);
CREATE TABLE sentinel_event (
    seq bigint primary key,
    event_key text not null unique,
    at_us bigint not null,
    detection text not null,
    detection_version text not null,
    event_json text not null
, mail_id text, content text);
CREATE INDEX sentinel_event_detection on sentinel_event (detection, detection_version, seq);
CREATE TABLE containment_change (
    epoch bigint primary key,
    at_us bigint not null,
    detection text not null,
    detection_version text not null,
    level text not null,
    until_us bigint,
    actor text not null,
    reason text not null
);
CREATE INDEX containment_change_detection on containment_change (detection, epoch);
CREATE TABLE pinned_detection (
    detection text primary key,
    pinned_us bigint not null,
    pinned_by text not null,
    reason text not null
);
CREATE TABLE incident (
    incident text primary key,
    stage text not null,
    is_paused bigint not null,
    opened_us bigint not null,
    opened_by text not null,
    moved_us bigint not null,
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
, in_force_us bigint, is_convicted bigint not null default 0);
CREATE INDEX incident_stage on incident (stage);
CREATE TABLE incident_unit (
    incident text not null,
    mail_id text not null,
    unit_no bigint not null,
    wave bigint not null,
    outcome text not null,
    outcome_us bigint,
    ruleset text not null,
    reason text not null, is_alone bigint,
    primary key (incident, mail_id, unit_no)
);
CREATE INDEX incident_unit_outcome on incident_unit (incident, outcome, mail_id);
CREATE INDEX incident_unit_mail on incident_unit (mail_id, unit_no);
CREATE TABLE incident_event (
    incident text not null,
    event_no bigint not null,
    at_us bigint not null,
    actor text not null,
    what text not null,
    text text not null,
    is_public bigint not null,
    primary key (incident, event_no)
);
CREATE TABLE announcement (
    incident text not null,
    event_no bigint not null,
    channel text not null,
    told_us bigint not null,
    reply text not null,
    primary key (incident, event_no, channel)
);
CREATE INDEX release_item_order on release_item (state, class, turn, release_id);
CREATE INDEX release_item_turn on release_item (recipient, class, state, turn);
CREATE TABLE incident_digest (
    incident text not null,
    address text not null,
    told_us bigint not null,
    reply text not null,
    primary key (incident, address)
);
CREATE INDEX incident_unit_alone on incident_unit (incident, is_alone, mail_id);
CREATE INDEX entry_caused_by on entry (caused_by);
CREATE TABLE alert (
    alert bigint primary key,
    alert_key text not null unique,
    at_us bigint not null,
    kind text not null,
    subject text not null,
    text text not null,
    seen_us bigint,
    seen_by text not null
);
CREATE INDEX alert_seen on alert (seen_us, alert);
CREATE TABLE alert_told (
    alert bigint not null,
    channel text not null,
    told_us bigint not null,
    reply text not null,
    primary key (alert, channel)
);
CREATE TABLE hit_hour (
    hour_us bigint not null,
    detection text not null,
    detection_version text not null,
    hits bigint not null,
    acted bigint not null,
    primary key (detection, detection_version, hour_us)
);
CREATE INDEX hit_hour_hour on hit_hour (hour_us);
CREATE TABLE submission (
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
CREATE TABLE submission_about (
    submission bigint not null,
    detection text not null,
    detection_version text not null,
    at_us bigint not null,
    primary key (submission, detection)
);
CREATE INDEX submission_about_at on submission_about (at_us);
CREATE TABLE audit_private (
    seq bigint primary key,
    salt text not null,
    private_json text not null
);
CREATE INDEX message_sender on message (lower(sender), mail_id);
CREATE INDEX message_client on message (client_ip, mail_id);
CREATE INDEX unit_recipient_lower on unit (lower(recipient), mail_id);
CREATE INDEX finding_code on finding (detection, mail_id);
CREATE TABLE person (
    name text primary key,
    role text not null,
    domains_json text,
    password text,
    totp text,
    invitation_sha256 text,
    invitation_until_us bigint,
    made_us bigint not null,
    made_by text not null,
    disabled_us bigint
);
CREATE INDEX person_invitation on person (invitation_sha256);
CREATE TABLE session (
    session_sha256 text primary key,
    person text not null,
    began_us bigint not null,
    seen_us bigint not null,
    until_us bigint not null,
    client text not null
);
CREATE INDEX session_person on session (person);
CREATE TABLE bulk (
    bulk bigint primary key,
    verb text not null,
    query text not null,
    domains_json text,
    actor text not null,
    reason text not null,
    made_us bigint not null,
    stage text not null,
    moved_us bigint not null,
    place text not null
, lease_owner text not null default '', lease_until_us bigint not null default 0, fence bigint not null default 0);
CREATE INDEX bulk_stage on bulk (stage, bulk);
CREATE TABLE bulk_item (
    bulk bigint not null,
    mail_id text not null,
    unit_no bigint not null,
    recipient text not null,
    outcome text not null,
    reply text not null,
    primary key (bulk, mail_id, unit_no)
);
CREATE INDEX bulk_item_outcome on bulk_item (bulk, outcome, mail_id);
CREATE TABLE flow_hour (
    hour_us bigint not null,
    domain text not null,
    direction text not null,
    category text not null,
    disposition text not null,
    account text not null,
    units bigint not null
);
CREATE INDEX flow_hour_sum on flow_hour (domain, hour_us, direction, category, disposition, account, units);
CREATE INDEX flow_hour_hour on flow_hour (hour_us);
CREATE TABLE flow_mark (
    hour_us bigint primary key,
    stamp bigint not null,
    rolled bigint not null
);
CREATE TABLE flow_reach (
    one bigint primary key,
    until_us bigint not null
);
CREATE TABLE release_request (
    mail_id text not null,
    unit_no bigint not null,
    asked_us bigint not null,
    asked_by text not null,
    reason text not null,
    primary key (mail_id, unit_no)
);
CREATE INDEX release_request_asked on release_request (asked_us);
CREATE TABLE quarantine_notice (
    address text primary key,
    period bigint not null,
    until_mail text not null,
    told_us bigint not null,
    reply text not null
);
CREATE TABLE portal_link (
    link_sha256 text primary key,
    until_us bigint not null
);
CREATE TABLE saved_query (
    name text primary key,
    query text not null,
    made_by text not null,
    made_us bigint not null,
    is_tracked bigint not null
);
CREATE TABLE detection_fixture (
    detection text not null,
    detection_version text not null,
    hit text not null,
    miss text not null,
    primary key (detection, detection_version)
);
CREATE TABLE portal_closed (
    address text primary key,
    closed_us bigint not null
);
CREATE TABLE agreement (
    what text not null,
    object text not null,
    actor text not null,
    reason text not null,
    asked_us bigint not null,
    primary key (what, object)
);
CREATE TABLE clock_reading (
    id bigint primary key,
    at_us bigint not null,
    boot text not null,
    up_us bigint not null,
    confirmed_us bigint
, unproven_us bigint not null default 0, turn bigint not null default 0);
CREATE TABLE scrub (
    id bigint primary key,
    began_us bigint not null,
    place text not null,
    is_done bigint not null,
    blobs bigint not null,
    bytes bigint not null,
    ended_us bigint,
    ended_blobs bigint not null,
    ended_bytes bigint not null
);
CREATE TABLE damaged_blob (
    blob text primary key,
    mail_id text not null,
    found_us bigint not null,
    why text not null
);
CREATE INDEX message_blob on message (blob) where blob is not null;
CREATE TABLE notice_claim (
    claim_key text primary key,
    lease_owner text not null,
    lease_until_us bigint not null,
    fence bigint not null
);
CREATE INDEX notice_claim_lease on notice_claim (lease_until_us);
CREATE TABLE listening (
    name text primary key,
    batch bigint not null,
    mail_id text not null
);
CREATE TABLE unheard (
    mail_id text primary key,
    tries bigint not null,
    next_us bigint not null,
    fault text not null
);
CREATE INDEX unheard_next on unheard (next_us);
CREATE UNIQUE INDEX sentinel_event_testimony on sentinel_event (detection, detection_version, mail_id, content);
CREATE TABLE folded (
    mail_id text not null,
    field text not null,
    number bigint not null,
    folded text not null,
    primary key (mail_id, field, number)
);
CREATE INDEX folded_folded on folded (field, folded, mail_id);
CREATE TABLE folded_reach (
    one bigint primary key,
    before_mail text not null
);
CREATE TABLE conversation_mail (
    message text primary key,
    identity text not null,
    node text not null,
    at_us bigint not null
);
CREATE INDEX conversation_mail_at on conversation_mail (at_us);
CREATE TABLE conversation_answer (
    sha256 text not null,
    node text not null,
    answered text not null,
    identity text not null,
    at_us bigint not null,
    primary key (sha256, node, answered)
);
CREATE INDEX conversation_answer_at on conversation_answer (at_us);
insert into schema_version (version, name, applied_us) values (1, '0001_spine', 1795841826179408);
insert into schema_version (version, name, applied_us) values (2, '0002_people', 1795841826179408);
insert into schema_version (version, name, applied_us) values (3, '0003_journal', 1795841826179408);
insert into schema_version (version, name, applied_us) values (4, '0004_live_ruleset', 1795841826179408);
insert into schema_version (version, name, applied_us) values (5, '0005_rulesets', 1795841826179408);
insert into schema_version (version, name, applied_us) values (6, '0006_people_decide', 1795841826179408);
insert into schema_version (version, name, applied_us) values (7, '0007_taking_back', 1795841826179408);
insert into schema_version (version, name, applied_us) values (8, '0008_order_of_release', 1795841826179408);
insert into schema_version (version, name, applied_us) values (9, '0009_digest', 1795841826179408);
insert into schema_version (version, name, applied_us) values (10, '0010_dry_run', 1795841826179408);
insert into schema_version (version, name, applied_us) values (11, '0011_caused_by', 1795841826179408);
insert into schema_version (version, name, applied_us) values (12, '0012_people_are_called', 1795841826179408);
insert into schema_version (version, name, applied_us) values (13, '0013_explorer', 1795841826179408);
insert into schema_version (version, name, applied_us) values (14, '0014_bulk', 1795841826179408);
insert into schema_version (version, name, applied_us) values (15, '0015_flow', 1795841826179408);
insert into schema_version (version, name, applied_us) values (16, '0016_recipients', 1795841826179408);
insert into schema_version (version, name, applied_us) values (17, '0017_saved', 1795841826179408);
insert into schema_version (version, name, applied_us) values (18, '0018_fixtures', 1795841826179408);
insert into schema_version (version, name, applied_us) values (19, '0019_portal_closed', 1795841826179408);
insert into schema_version (version, name, applied_us) values (20, '0020_agreement', 1795841826179408);
insert into schema_version (version, name, applied_us) values (21, '0021_removal', 1795841826179408);
insert into schema_version (version, name, applied_us) values (22, '0022_notices_are_claimed', 1795841826179408);
insert into schema_version (version, name, applied_us) values (23, '0023_jobs_are_claimed', 1795841826179408);
insert into schema_version (version, name, applied_us) values (24, '0024_hearing', 1795841826179408);
insert into schema_version (version, name, applied_us) values (25, '0025_incident_from_the_record', 1795841826179408);
insert into schema_version (version, name, applied_us) values (26, '0026_release_is_no_report', 1795841826179408);
insert into schema_version (version, name, applied_us) values (27, '0027_folded', 1795841826179408);
insert into schema_version (version, name, applied_us) values (28, '0028_clock_reading_is_guarded', 1795841826179408);
insert into schema_version (version, name, applied_us) values (29, '0029_conversations', 1795841826179408);
