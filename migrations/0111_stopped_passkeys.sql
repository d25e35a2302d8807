-- The passkey that a session was begun with; nothing where it was begun otherwise, or before this was kept.
ALTER TABLE sessions ADD COLUMN passkey TEXT;

-- Passkeys that are good no more in an organisation: its administrator stopped them there, or let their person in again. What other
-- organisations the person works in is theirs to say.
CREATE TABLE stopped_passkeys (
    passkey      TEXT NOT NULL REFERENCES passkeys (id) ON DELETE CASCADE,
    organisation TEXT NOT NULL,
    PRIMARY KEY (passkey, organisation)
);
