-- Sign-ins at issuers of OpenID Connect that people bound to themselves. `subject` is a keyed hash of issuer and subject; `document`, which names
-- the issuer, is sealed. `reach` is as a passkey's. Times are seconds since 1970.
CREATE TABLE openid_bindings (
    subject    BLOB   PRIMARY KEY,
    id         TEXT   NOT NULL UNIQUE,
    person     TEXT   NOT NULL REFERENCES people (id),
    reach      TEXT,
    created_at BIGINT NOT NULL,
    document   BLOB   NOT NULL
);

CREATE INDEX openid_bindings_by_person ON openid_bindings (person);
