//! Exchange formats made from a note.
