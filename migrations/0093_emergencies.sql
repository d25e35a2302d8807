-- Records opened without consent in an emergency: of whom, by which role, and until when. BLOB columns are sealed with the patient's key:
-- why in the doctor's words, their name, and the notes. Times are milliseconds since 1970. Roles and organisations are ids of the audit log.
CREATE TABLE emergencies (
    id           TEXT   PRIMARY KEY,
    patient      TEXT   NOT NULL REFERENCES patients (id) ON DELETE CASCADE,
    owner        TEXT   NOT NULL,
    role         TEXT   NOT NULL,
    opened_at    BIGINT NOT NULL,
    ends_at      BIGINT NOT NULL,
    document     BLOB   NOT NULL
);

CREATE INDEX emergencies_by_patient ON emergencies (patient);
CREATE INDEX emergencies_by_owner ON emergencies (owner);
CREATE INDEX emergencies_by_role ON emergencies (role, ends_at);
