-- Who changed a note and who vouched for it. BLOB columns are sealed.

-- What made each version of a note from the second on: who, when, and which sort of change.
CREATE TABLE note_changes (
    recording TEXT   NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
    version   BIGINT NOT NULL,
    document  BLOB   NOT NULL,
    PRIMARY KEY (recording, version)
);

-- A version that was reviewed or signed, by whom and when. After a signed version comes an addendum or nothing.
CREATE TABLE note_signatures (
    recording TEXT   NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
    version   BIGINT NOT NULL,
    stage     TEXT   NOT NULL CHECK (stage IN ('reviewed', 'signed')),
    document  BLOB   NOT NULL,
    PRIMARY KEY (recording, version, stage)
);
