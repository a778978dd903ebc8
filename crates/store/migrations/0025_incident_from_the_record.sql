-- What the public is told of an incident is computed from its units; here is what that needs beside them. The title is computed as well.
-- A version's coming into force is not always known, and the time at which a person opened an incident is not it.
alter table incident add column in_force_us bigint;
alter table incident add column is_convicted bigint not null default 0;
update incident set in_force_us = began_us, is_convicted = 1 where opened_by = 'sentinel';
update incident set is_convicted = 0 where cause like 'ruleset % was taken back%';
-- Texts of ours that said more than was known. What people have written stays.
update incident set public_text = '' where public_text like 'Some messages were held by mistake, by a detection that came into force on %'
    or public_text like 'Some messages may have been held by mistake. We are looking into it%';
alter table incident drop column began_us;
alter table incident drop column title;
