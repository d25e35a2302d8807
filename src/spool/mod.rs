//! The sealed, append-only file that holds a recording's audio.
//!
//! Invariant: what was acknowledged was synced here before; a torn tail is cut, and no record is ever wrong.
