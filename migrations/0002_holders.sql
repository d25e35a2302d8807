-- One row: who has this database open. SQLite, which lies in a folder with a lock, has none.
CREATE TABLE holders (
    id     BIGINT PRIMARY KEY CHECK (id = 1),
    holder BLOB   NOT NULL
);
