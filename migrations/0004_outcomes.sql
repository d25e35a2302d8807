-- What became of the draft of each signed note, and clinicians' own forms of the note. BLOB columns are sealed.

-- Computed once from the versions of the note; sealed with the recording's key, and gone with it.
CREATE TABLE note_outcomes (
    recording TEXT PRIMARY KEY REFERENCES recordings (id) ON DELETE CASCADE,
    document  BLOB NOT NULL
);

-- Sealed with the master key: a template may name a clinician or a clinic, and no patient.
CREATE TABLE templates (
    clinician TEXT NOT NULL,
    name      TEXT NOT NULL,
    document  BLOB NOT NULL,
    PRIMARY KEY (clinician, name)
);
