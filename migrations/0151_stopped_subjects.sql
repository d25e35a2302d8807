-- What a passkey or a binding that was stopped is found by, so that it stays stopped in that organisation when it is removed and entered again. Only an
-- act of that organisation's administrator lets it in again.
CREATE TABLE stopped_subjects (
    subject      BLOB NOT NULL,
    organisation TEXT NOT NULL,
    PRIMARY KEY (subject, organisation)
);

INSERT INTO stopped_subjects (subject, organisation)
SELECT passkeys.credential, stopped_credentials.organisation FROM stopped_credentials
JOIN passkeys ON passkeys.id = stopped_credentials.credential;

INSERT INTO stopped_subjects (subject, organisation)
SELECT openid_bindings.subject, stopped_credentials.organisation FROM stopped_credentials
JOIN openid_bindings ON openid_bindings.id = stopped_credentials.credential;
