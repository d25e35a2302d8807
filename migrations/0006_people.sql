-- Organisations, people and their roles. BLOB columns are sealed. Times are seconds since 1970.

CREATE TABLE organisations (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    chinese_name TEXT
);

-- Name, telephone and e-mail, sealed with the master key.
CREATE TABLE people (
    id       TEXT PRIMARY KEY,
    document BLOB NOT NULL
);

-- What one person is in one organisation, from when to when. Who works in two has two.
CREATE TABLE roles (
    id           TEXT   PRIMARY KEY,
    person       TEXT   NOT NULL REFERENCES people (id),
    organisation TEXT   NOT NULL REFERENCES organisations (id),
    kind         TEXT   NOT NULL,
    starts_at    BIGINT NOT NULL,
    ends_at      BIGINT
);

CREATE INDEX roles_by_person ON roles (person);
CREATE INDEX roles_by_organisation ON roles (organisation);
