//! The sealed, append-only file that holds a recording's audio; and a file for audio that is heard once and not kept.
//!
//! Invariant: what was acknowledged was synced here before; a torn tail is cut, and no record is ever wrong.
//!
//! A file is a sealed preamble and records, one after another. A record is a header and the sealed data (`frame.rs` has the
//! layout). The header is bound to the data, to the recording's id and to its place; each header also says how many bytes of the
//! file were safe when it was written. So a record that cannot be read is either the torn tail of a machine that lost its power
//! (nothing after it knows it to be safe, and it was never acknowledged), or damage, which is an error.

mod error;
mod frame;
mod key;
mod lock;
mod reader;
mod scratch;
mod writer;

pub use error::SpoolError;
pub use frame::{Frames, MOST_BYTES, Record, RecordKind};
pub use key::Key;
pub(crate) use lock::lock;
pub use reader::SpoolReader;
pub use scratch::Scratch;
pub use writer::SpoolWriter;

#[cfg(test)]
mod tests;
