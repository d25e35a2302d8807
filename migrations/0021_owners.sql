-- Whose patients and recordings are. What was there before belongs to the trial's organisation and its one role.

ALTER TABLE patients ADD COLUMN organisation TEXT NOT NULL DEFAULT 'dHJpYWwgY2xpbmljLi4uLg';
CREATE INDEX patients_by_organisation ON patients (organisation);

-- The roles that treat a patient.
CREATE TABLE patient_roles (
    patient TEXT NOT NULL REFERENCES patients (id) ON DELETE CASCADE,
    role    TEXT NOT NULL,
    PRIMARY KEY (patient, role)
);
INSERT INTO patient_roles (patient, role) SELECT id, 'dHJpYWwgcm9sZS4uLi4uLg' FROM patients;

-- `made_by` is the role or the device that began it. A visit is its patient's, and what belongs to a visit is too.
ALTER TABLE recordings ADD COLUMN organisation TEXT NOT NULL DEFAULT 'dHJpYWwgY2xpbmljLi4uLg';
ALTER TABLE recordings ADD COLUMN made_by TEXT NOT NULL DEFAULT 'dHJpYWwgcm9sZS4uLi4uLg';
CREATE INDEX recordings_by_organisation ON recordings (organisation);

-- No two patients of one organisation have the same number; what another organisation knows makes no difference, and is not told.
CREATE TABLE organisation_numbers (
    organisation TEXT NOT NULL,
    hash         BLOB NOT NULL,
    patient      TEXT NOT NULL REFERENCES patients (id) ON DELETE CASCADE,
    PRIMARY KEY (organisation, hash)
);
INSERT INTO organisation_numbers (organisation, hash, patient) SELECT 'dHJpYWwgY2xpbmljLi4uLg', hash, patient FROM patient_numbers;
DROP TABLE patient_numbers;
ALTER TABLE organisation_numbers RENAME TO patient_numbers;
