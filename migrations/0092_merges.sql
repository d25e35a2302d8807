-- What the registry said of two patients of one organisation: that they are one person (`same` 1), or two who look alike (0). `one` is the
-- smaller id. Nothing else of either is changed, so that it can be taken back whole. Times are seconds since 1970.
CREATE TABLE patient_merges (
    id           TEXT   PRIMARY KEY,
    organisation TEXT   NOT NULL,
    one          TEXT   NOT NULL REFERENCES patients (id) ON DELETE CASCADE,
    other        TEXT   NOT NULL REFERENCES patients (id) ON DELETE CASCADE,
    same         BIGINT NOT NULL CHECK (same IN (0, 1)),
    made_at      BIGINT NOT NULL,
    UNIQUE (one, other)
);

CREATE INDEX patient_merges_by_organisation ON patient_merges (organisation);
CREATE INDEX patient_merges_by_other ON patient_merges (other);

-- The patient under whom this one stands while they are merged, which follows from the merges; nothing for who stands alone or leads.
ALTER TABLE patients ADD COLUMN stands_under TEXT;
CREATE INDEX patients_by_person ON patients ((coalesce(stands_under, id)));
