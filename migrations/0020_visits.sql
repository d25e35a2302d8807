-- Patients, their visits, and which recording belongs to which. BLOB columns are sealed, save `hash`. Times are seconds since 1970.

-- `data_key` is wrapped by the master key; the patient's document and those of the visits are sealed with it.
CREATE TABLE patients (
    id         TEXT   PRIMARY KEY,
    created_at BIGINT NOT NULL,
    version    BIGINT NOT NULL,
    data_key   BLOB   NOT NULL,
    document   BLOB   NOT NULL
);

-- Keyed hashes of the numbers that a patient is known by: no two patients have the same.
CREATE TABLE patient_numbers (
    hash    BLOB PRIMARY KEY,
    patient TEXT NOT NULL REFERENCES patients (id) ON DELETE CASCADE
);

-- `number` orders visits of the same second as they were entered.
CREATE TABLE encounters (
    id        TEXT   PRIMARY KEY,
    number    BIGINT NOT NULL,
    patient   TEXT   NOT NULL REFERENCES patients (id) ON DELETE CASCADE,
    starts_at BIGINT NOT NULL,
    document  BLOB   NOT NULL
);

CREATE INDEX encounters_by_patient ON encounters (patient);
CREATE INDEX encounters_by_time ON encounters (starts_at);

-- A recording without a row here was made in a trial, for nobody. `moves` counts how often it was moved.
CREATE TABLE encounter_recordings (
    recording TEXT   PRIMARY KEY REFERENCES recordings (id) ON DELETE CASCADE,
    encounter TEXT   NOT NULL REFERENCES encounters (id),
    typed     BIGINT NOT NULL CHECK (typed IN (0, 1)),
    moves     BIGINT NOT NULL
);

CREATE INDEX recordings_by_encounter ON encounter_recordings (encounter);

-- From 1. Sealed with the recording's key.
CREATE TABLE recording_moves (
    recording TEXT   NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
    number    BIGINT NOT NULL,
    document  BLOB   NOT NULL,
    PRIMARY KEY (recording, number)
);
