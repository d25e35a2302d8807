-- A keyed hash of each row's number and entry, under a key that the database does not have: a row that somebody else put behind the log's head
-- is none of ours. Rows that the log had before this have none; it is the log that vouches for them.
ALTER TABLE events ADD COLUMN mac BLOB;
