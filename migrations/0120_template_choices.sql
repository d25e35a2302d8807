-- Which of their forms of the note a clinician has chosen, for each specialty. The document is sealed with the root key, as templates are.
CREATE TABLE template_choices (
    clinician TEXT PRIMARY KEY,
    document  BLOB NOT NULL
);
