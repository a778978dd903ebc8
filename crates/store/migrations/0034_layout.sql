-- How the pages of a mail that is known to be good are laid out (domain::fingerprint); empty where there is too little,
-- and for what came before this column.
alter table known_good_mail add column layout_fingerprint text not null default '';
