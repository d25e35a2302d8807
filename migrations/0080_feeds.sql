-- How far each receiver of the audit log is: the number of the entry that it gets next.
CREATE TABLE feeds (
    name TEXT   PRIMARY KEY,
    next BIGINT NOT NULL CHECK (next >= 0)
);
