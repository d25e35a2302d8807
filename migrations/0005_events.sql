-- What was done, by whom: the entries of the audit log, from number 0 without a gap, written in the transaction of what they tell of.
CREATE TABLE events (
    number BIGINT PRIMARY KEY CHECK (number >= 0),
    entry  BLOB   NOT NULL
);

-- One row: how many there are. Whoever adds one changes it, so that they are numbered in the order of their commits.
CREATE TABLE event_count (
    id   BIGINT PRIMARY KEY CHECK (id = 1),
    size BIGINT NOT NULL CHECK (size >= 0)
);

INSERT INTO event_count (id, size) VALUES (1, 0);
