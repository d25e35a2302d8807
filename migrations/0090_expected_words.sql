-- Words that a recording is heard with beside the server's: names from what is known of its patient and its clinic, as they were when it
-- began, so that a room that starts again hears the same. Sealed with the recording's key; gone when it is finished, moved or erased.
CREATE TABLE expected_words (
    recording TEXT PRIMARY KEY REFERENCES recordings (id) ON DELETE CASCADE,
    document  BLOB NOT NULL
);
