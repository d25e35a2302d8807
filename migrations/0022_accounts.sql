-- How people and programs show who they are. Tokens are kept as hashes. BLOB columns else are sealed. Times are seconds since 1970.

-- An open session of one role. `reach` is the organisation that its passkey is good for, where it is not good for all.
CREATE TABLE sessions (
    id         TEXT   PRIMARY KEY,
    token_hash BLOB   NOT NULL UNIQUE,
    role       TEXT   NOT NULL REFERENCES roles (id),
    reach      TEXT,
    address    TEXT,
    started_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    ends_at    BIGINT NOT NULL
);

CREATE INDEX sessions_by_role ON sessions (role);

-- `document` is the passkey's public key and counter with what its owner calls it. `credential` is a hash of its id.
CREATE TABLE passkeys (
    credential BLOB   PRIMARY KEY,
    id         TEXT   NOT NULL UNIQUE,
    person     TEXT   NOT NULL REFERENCES people (id),
    reach      TEXT,
    created_at BIGINT NOT NULL,
    document   BLOB   NOT NULL
);

CREATE INDEX passkeys_by_person ON passkeys (person);

-- Tokens that are used once to get in: the first administrator's, invitations, recoveries. `document` says what they are for.
CREATE TABLE enrolments (
    id           TEXT   PRIMARY KEY,
    token_hash   BLOB   NOT NULL UNIQUE,
    organisation TEXT   REFERENCES organisations (id),
    document     BLOB   NOT NULL,
    ends_at      BIGINT NOT NULL
);

-- Devices and programs: what they may do, where, and until when.
CREATE TABLE devices (
    id           TEXT   PRIMARY KEY,
    token_hash   BLOB   NOT NULL UNIQUE,
    organisation TEXT   NOT NULL REFERENCES organisations (id),
    scope        TEXT   NOT NULL CHECK (scope IN ('record', 'transcribe')),
    name         TEXT   NOT NULL,
    room         TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    ends_at      BIGINT NOT NULL
);

CREATE INDEX devices_by_organisation ON devices (organisation);
