-- What a message looks like (domain::fingerprint): entries about pictures and texts are tried on the mail of the last
-- days before they are made.
alter table message add column fingerprints_json text not null default '{}';

-- What a picture or a mail that is known to be good looks like; empty where it shows too little, and for what came
-- before this column.
alter table known_good_part add column fingerprint text not null default '';
create index known_good_part_fingerprint on known_good_part (fingerprint) where fingerprint <> '';
alter table known_good_mail add column text_fingerprint text not null default '';
