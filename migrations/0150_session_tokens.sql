-- A session's token gives way to another after minutes of use. `sessions.token_hash` is the token in use, `token_since` when it came into use and
-- `offered_at` when the next was first offered; `generation` counts those that were in use one after another.
ALTER TABLE sessions ADD COLUMN generation BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN token_since BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN offered_at BIGINT;

UPDATE sessions SET token_since = started_at;

-- Every token that a session had or was offered, so that an old one that comes back is known. `taken_at` is when it was first shown.
CREATE TABLE session_tokens (
    token_hash BLOB   PRIMARY KEY,
    session    TEXT   NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    generation BIGINT NOT NULL,
    taken_at   BIGINT
);

CREATE INDEX session_tokens_by_session ON session_tokens (session, generation);

INSERT INTO session_tokens (token_hash, session, generation, taken_at) SELECT token_hash, id, 0, started_at FROM sessions;
