-- Whether nothing but the suspect acted on a unit's message, by what was recorded when it was counted in; null where that has to be looked up
-- again. A dry run of a million units is a count.
alter table incident_unit add column is_alone bigint;
create index incident_unit_alone on incident_unit (incident, is_alone, mail_id);
