//! The command line.

pub mod note_input;
