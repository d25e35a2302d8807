-- What was recorded, what was heard in it, and the documents made of it. BLOB columns are sealed, save `token_hash`.

-- One row. `probe` is sealed with the master key, to know it again; `wipe` is 1 while what was erased may still have bytes in the file.
CREATE TABLE upkeep (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    probe BLOB    NOT NULL,
    wipe  INTEGER NOT NULL CHECK (wipe IN (0, 1))
);

-- `number` orders recordings as they were made, whatever the clock said. `data_key` is wrapped by the master key, and all that is
-- sealed elsewhere is sealed with it; it is empty while a recording is being erased.
CREATE TABLE recordings (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT    NOT NULL UNIQUE,
    state       TEXT    NOT NULL CHECK (state IN ('open', 'finishing', 'finished', 'erasing')),
    created_at  TEXT    NOT NULL,
    encoding    TEXT    NOT NULL,
    rate        INTEGER NOT NULL,
    channels    INTEGER NOT NULL,
    language    TEXT    NOT NULL,
    duration_ms INTEGER,
    token_hash  BLOB    NOT NULL,
    data_key    BLOB    NOT NULL,
    speakers    BLOB    NOT NULL
);

-- An utterance that was decoded. `starts` and `ends` count samples of the channel.
CREATE TABLE finals (
    number    INTEGER PRIMARY KEY,
    recording TEXT    NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
    channel   INTEGER NOT NULL,
    starts    INTEGER NOT NULL,
    ends      INTEGER NOT NULL,
    segment   BLOB    NOT NULL,
    UNIQUE (recording, channel, starts, ends)
);

CREATE TABLE transcripts (
    recording TEXT PRIMARY KEY REFERENCES recordings (id) ON DELETE CASCADE,
    document  BLOB NOT NULL
);

-- Every version of a note, from 1. The highest is the current one.
CREATE TABLE notes (
    recording TEXT    NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
    version   INTEGER NOT NULL CHECK (version > 0),
    document  BLOB    NOT NULL,
    PRIMARY KEY (recording, version)
);
