//! The data folder: recordings, finals and notes in SQLite, content sealed.
//!
//! Invariant: no content column, file or log holds patient data in the clear.
