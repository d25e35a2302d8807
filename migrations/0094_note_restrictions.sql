-- Notes that were marked as restricted, and marks that were taken away again: the last row of a recording says how it is. Who and when is
-- sealed, as the note is.
CREATE TABLE note_restrictions (
    recording  TEXT   NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
    number     BIGINT NOT NULL,
    restricted BIGINT NOT NULL CHECK (restricted IN (0, 1)),
    document   BLOB   NOT NULL,
    PRIMARY KEY (recording, number)
);
