-- What patients share and with whom, and the messages to them. BLOB columns are sealed with the patient's key, save `hash`. Times are
-- milliseconds since 1970. Roles and organisations are ids of the audit log.

-- Where messages to a patient go, as the clinic that treats them knows it.
CREATE TABLE patient_contacts (
    patient  TEXT PRIMARY KEY REFERENCES patients (id) ON DELETE CASCADE,
    document BLOB NOT NULL
);

-- A consent from its request on. Without a patient it is a request about somebody whom the clinic does not know: it is kept like any
-- other, sealed with the master key, so that who asks cannot tell. `live` is 0 once it has ended; `ends` is when it runs out.
CREATE TABLE consents (
    id           TEXT   PRIMARY KEY,
    number       BIGINT NOT NULL,
    patient      TEXT   REFERENCES patients (id) ON DELETE CASCADE,
    owner        TEXT   NOT NULL,
    requester    TEXT   NOT NULL,
    organisation TEXT   NOT NULL,
    live         BIGINT NOT NULL CHECK (live IN (0, 1)),
    ends         BIGINT NOT NULL,
    document     BLOB   NOT NULL
);

CREATE INDEX consents_by_patient ON consents (patient);
CREATE INDEX consents_by_owner ON consents (owner);
CREATE INDEX consents_by_organisation ON consents (organisation);
CREATE INDEX consents_by_end ON consents (live, ends);

-- Pages of patients that a link and a code have opened, by a hash of their secret.
CREATE TABLE patient_pages (
    hash    BLOB   PRIMARY KEY,
    patient TEXT   NOT NULL REFERENCES patients (id) ON DELETE CASCADE,
    decider TEXT   NOT NULL,
    ends    BIGINT NOT NULL
);

-- Messages. A code that waits goes when another one takes its place.
CREATE TABLE outbox (
    id       TEXT   PRIMARY KEY,
    number   BIGINT NOT NULL,
    patient  TEXT   NOT NULL REFERENCES patients (id) ON DELETE CASCADE,
    consent  TEXT   REFERENCES consents (id) ON DELETE CASCADE,
    kind     TEXT   NOT NULL,
    state    TEXT   NOT NULL CHECK (state IN ('waiting', 'handed_over', 'failed')),
    tries    BIGINT NOT NULL,
    next_at  BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    document BLOB   NOT NULL
);

CREATE INDEX outbox_by_time ON outbox (state, next_at);
