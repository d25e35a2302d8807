-- How long things are kept. BLOB columns are sealed. Times are seconds since 1970.

-- Sound that was erased under the rule of how long it is kept, while words, note and record stay. `done` is 0 until its file is gone.
CREATE TABLE sound_erasures (
    recording TEXT   PRIMARY KEY REFERENCES recordings (id) ON DELETE CASCADE,
    erased_at BIGINT NOT NULL,
    done      BIGINT NOT NULL CHECK (done IN (0, 1))
);

-- What may not be erased while it is on hold. The document has the reason, sealed with the key of the patient or the recording.
CREATE TABLE legal_holds (
    id           TEXT   PRIMARY KEY,
    organisation TEXT   NOT NULL,
    patient      TEXT   REFERENCES patients (id) ON DELETE CASCADE,
    recording    TEXT   REFERENCES recordings (id) ON DELETE CASCADE,
    placed_at    BIGINT NOT NULL,
    lifted_at    BIGINT,
    document     BLOB   NOT NULL,
    CHECK ((patient IS NULL) <> (recording IS NULL))
);

CREATE INDEX legal_holds_by_patient ON legal_holds (patient);
CREATE INDEX legal_holds_by_recording ON legal_holds (recording);
CREATE INDEX legal_holds_by_organisation ON legal_holds (organisation);

-- Shares that ended and whose cooling-off is over. What they kept of their own is in the document, or gone, then it is empty.
CREATE TABLE ended_shares (
    consent   TEXT   PRIMARY KEY REFERENCES consents (id) ON DELETE CASCADE,
    closed_at BIGINT NOT NULL,
    document  BLOB   NOT NULL
);
