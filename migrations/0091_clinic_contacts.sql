-- Where an organisation is and how it is reached, as it stands on its letters; without a row only its name does.
CREATE TABLE organisation_contacts (
    organisation TEXT PRIMARY KEY REFERENCES organisations (id),
    address      TEXT,
    phone        TEXT
);
