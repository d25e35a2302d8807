-- The patient's way back to their own page. BLOB columns are sealed, save `hash`. Times are milliseconds since 1970.

-- Keyed hashes of the telephone numbers and mailboxes by which patients are reached: several may be reached by one.
CREATE TABLE contact_numbers (
    hash    BLOB NOT NULL,
    patient TEXT NOT NULL REFERENCES patients (id) ON DELETE CASCADE,
    PRIMARY KEY (hash, patient)
);

CREATE INDEX contact_numbers_by_patient ON contact_numbers (patient);

-- Links to a patient's own page that were asked for. `message` is the one that has the newest code.
CREATE TABLE ways_back (
    id       TEXT   PRIMARY KEY,
    patient  TEXT   NOT NULL REFERENCES patients (id) ON DELETE CASCADE,
    message  TEXT   NOT NULL,
    ends     BIGINT NOT NULL,
    document BLOB   NOT NULL
);

CREATE INDEX ways_back_by_patient ON ways_back (patient);
CREATE INDEX ways_back_by_message ON ways_back (message);
