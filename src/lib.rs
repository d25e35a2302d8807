//! cantoscribe hears a Cantonese and English consultation and writes the structured note.
//!
//! Data flows one way, and a stage imports only earlier ones:
//!
//! ```text
//! audio -> speech -> note -> record -> letter, interop, sharing
//! ```
//!
//! `text`, `terminology`, `audit`, `consent` and `identity` import no stage; `visit` knows the note alone. The shell around them (`models`, `capture`, `client`,
//! `spool`, `ledger`, `fonts`, `gateway`, `openid`, `store`, `engine`, `room`, `server`, `bench`, `cli`) is the only place that may touch devices, files, the database
//! and the network.
//! `ARCHITECTURE.md` walks one recording from file to note and names each folder's invariant.

pub mod audio;
pub mod audit;
pub mod bench;
pub mod capture;
pub mod cli;
pub mod client;
pub mod consent;
pub mod engine;
pub mod fonts;
pub mod gateway;
pub mod identity;
pub mod interop;
pub mod ledger;
pub mod letter;
pub mod models;
pub mod note;
pub mod openid;
pub mod record;
pub mod room;
pub mod server;
pub mod sharing;
pub mod speech;
pub mod spool;
pub mod store;
pub mod terminology;
pub mod text;
pub mod visit;
