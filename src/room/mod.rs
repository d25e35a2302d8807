//! One recording being heard: it reads the spool, finds utterances, and tells what was heard.
//!
//! Invariant: a room hears only what its spool holds, so a replay gives the same finals as the live talk.
