//! What a witness says of a checkpoint: <https://c2sp.org/tlog-cosignature> (Ed25519, `cosignature/v1`), and what it is asked with,
//! <https://c2sp.org/tlog-witness>.
//!
//! A witness keeps the last head of a log that it saw. It cosigns a head only if that one is its beginning, so whoever rolls a log
//! back, or shows another one to others, finds no witness for it.

use std::fmt;

use ed25519_dalek::{Signature, VerifyingKey};

use super::hash::Hash;
use super::note::{KeyName, NoteVerifier};
use super::{AuditError, Checkpoint, UnixMillis};

/// The folder of a log in which each witness's newest cosigned checkpoint is kept.
pub const WITNESSED: &str = "witnessed";

/// The signature type of Ed25519 cosignatures.
const COSIGNATURE: u8 = 4;
/// Milliseconds by which a witness's clock may be ahead of ours.
const AHEAD: u64 = 300_000;

/// A witness whose cosignature is asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct Cosigner {
    name: KeyName,
    key: VerifyingKey,
}

/// A checkpoint that its log signed and a witness cosigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// What both signed.
    pub checkpoint: Checkpoint,
    /// When the witness did, to the second.
    pub at: UnixMillis,
    /// The signed note, with the signatures of these two.
    pub note: String,
}

impl Cosigner {
    /// Reads a witness's public key, `NAME+HASH+BASE64`.
    ///
    /// # Errors
    /// [`AuditError::BadCosigner`] where it is none.
    pub fn parse(text: &str) -> Result<Self, AuditError> {
        let (name, key) = KeyName::parse(text, COSIGNATURE).map_err(|_| AuditError::BadCosigner)?;
        if key.is_weak() { Err(AuditError::BadCosigner) } else { Ok(Self { name, key }) }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name.name
    }

    /// Where a log's folder keeps the newest checkpoint that it cosigned: the name as far as a file may have it, and the key's hash.
    #[must_use]
    pub fn path(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        let name: String = self.name().chars().map(plain).take(80).collect();
        format!("{WITNESSED}/{name}-{}", self.name.hex())
    }

    /// Reads a checkpoint of this log; nothing where this witness did not cosign it. Others' cosignatures are passed over.
    ///
    /// # Errors
    /// When it is no checkpoint that the log signed; [`AuditError::NotCosigned`] when what claims to be this witness's cosignature
    /// is not, or has no time, or one after `now`.
    pub fn open(&self, note: &str, log: &NoteVerifier, now: UnixMillis) -> Result<Option<Cosigned>, AuditError> {
        let checkpoint = Checkpoint::open(note, log)?;
        let (parsed, signed) = log.opened(note)?;
        let wrong = |what| AuditError::NotCosigned { by: self.name().to_owned(), what };
        let line = match *parsed.by(&self.name) {
            [] => return Ok(None),
            [line] => line,
            _ => return Err(wrong("there are two")),
        };
        let (seconds, signature) = line.signature.split_first_chunk::<8>().ok_or_else(|| wrong("it is too short"))?;
        let (seconds, signature) = (u64::from_be_bytes(*seconds), Signature::from_slice(signature));
        let signature = signature.map_err(|_| wrong("it does not have the length of one"))?;
        let said = format!("cosignature/v1\ntime {seconds}\n{}", parsed.text);
        self.key.verify_strict(said.as_bytes(), &signature).map_err(|_| wrong("it was not made with the witness's key"))?;
        let at = UnixMillis(seconds.saturating_mul(1000));
        if seconds == 0 {
            return Err(wrong("it has no time"));
        }
        if at > now.after(AHEAD) {
            return Err(wrong("its time has not come yet: a clock is wrong, the witness's or this machine's"));
        }
        let note = format!("{}\n{signed}\n{}\n", parsed.text, line.line);
        Ok(Some(Cosigned { checkpoint, at, note }))
    }
}

impl fmt::Display for Cosigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name.written(COSIGNATURE, &self.key))
    }
}

impl fmt::Debug for Cosigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cosigner({self})")
    }
}

/// What a witness is asked with: a log's head, and the proof that it grew from an older one.
#[derive(Debug, Clone)]
pub struct Submission {
    /// Whose signature the head has.
    pub log: NoteVerifier,
    /// The head.
    pub head: Checkpoint,
    /// The signed note of it.
    pub note: String,
    /// How many entries the log had when the witness saw it last, as far as is known here; at most those of the head.
    pub old: u64,
    /// The hashes that show the head to have grown from it.
    pub proof: Vec<Hash>,
}

impl Submission {
    /// The body of the request.
    #[must_use]
    pub fn body(&self) -> String {
        let proof: String = self.proof.iter().map(|hash| format!("{hash}\n")).collect();
        format!("old {}\n{proof}\n{}", self.old, self.note)
    }
}

/// Reads what a witness says it has seen, `SIZE` and a line break.
#[must_use]
pub(crate) fn read_size(text: &str) -> Option<u64> {
    let number = text.strip_suffix('\n')?;
    let size: u64 = number.parse().ok()?;
    (size.to_string() == number).then_some(size)
}

#[cfg(test)]
pub(crate) mod tests;
