-- What a session was begun with: a passkey's or a binding's id; nothing where it was begun before this was kept.
ALTER TABLE sessions ADD COLUMN credential TEXT;

-- Passkeys and bindings that are good no more in an organisation: its administrator stopped them there, or let their person in again. What
-- other organisations the person works in is theirs to say.
CREATE TABLE stopped_credentials (
    credential   TEXT NOT NULL,
    organisation TEXT NOT NULL,
    PRIMARY KEY (credential, organisation)
);
