//! cantoscribe hears a Cantonese and English consultation and writes the structured note.
//!
//! Data flows one way, and a stage imports only earlier ones:
//!
//! ```text
//! audio -> speech -> note -> interop
//! ```
//!
//! `text` and `terminology` import no stage. The shell around them (`models`, `cli`) is the only place that may touch the network.
//! `ARCHITECTURE.md` walks one recording from file to note and names each folder's invariant.

pub mod audio;
pub mod cli;
pub mod interop;
pub mod models;
pub mod note;
pub mod speech;
pub mod terminology;
pub mod text;
