-- To release a message is not to call its verdict wrong. Who released what, and why, is in the ledger and in the audit log.
delete from submission_about where submission in (select submission from submission where kind = 'released');
delete from submission where kind = 'released';
