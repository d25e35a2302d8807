-- Who set how a patient is reached, and when: whoever did lately cannot ask that patient for consent. An id of the audit log; milliseconds
-- since 1970.
CREATE TABLE contact_changes (
    patient    TEXT   NOT NULL REFERENCES patients (id) ON DELETE CASCADE,
    person     TEXT   NOT NULL,
    changed_at BIGINT NOT NULL
);

CREATE INDEX contact_changes_by_patient ON contact_changes (patient, person);
