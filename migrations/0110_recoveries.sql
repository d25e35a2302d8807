-- Recoveries that were used: of whom, through which organisation and administrator (neither where the console let them in), and when, in
-- seconds since 1970. The person is told of each.
CREATE TABLE recoveries (
    id           TEXT   PRIMARY KEY,
    person       TEXT   NOT NULL REFERENCES people (id),
    organisation TEXT,
    offered_by   TEXT,
    used_at      BIGINT NOT NULL
);

CREATE INDEX recoveries_by_person ON recoveries (person);
