//! SHA-256 as the registry, manifests and transcripts write it.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::error::ModelError;

/// A SHA-256, written as 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

impl Digest {
    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Of bytes in memory.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::finish(Sha256::new_with_prefix(bytes))
    }

    /// Of a file's content.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn of_file(path: &Path) -> Result<Self, ModelError> {
        let file = File::open(path).map_err(ModelError::io("open", path))?;
        let (digest, _) = copy(file, io::sink(), |_| {}).map_err(ModelError::io("read", path))?;
        Ok(digest)
    }

    /// Of several files as one: of their hashes' digits after each other; the hash itself where there is one. Nothing of none.
    #[must_use]
    pub fn of_all(digests: &[Self]) -> Option<Self> {
        match digests {
            [] => None,
            [one] => Some(one.clone()),
            several => Some(Self::of(several.iter().map(Self::as_str).collect::<String>().as_bytes())),
        }
    }

    fn finish(hasher: Sha256) -> Self {
        Self(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl TryFrom<String> for Digest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let well_formed = text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if well_formed { Ok(Self(text)) } else { Err("a sha256 is 64 lower-case hexadecimal digits") }
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Copies everything from `from` to `to`; gives the hash and the number of bytes. `on_bytes` hears the running total.
pub(crate) fn copy(mut from: impl Read, mut to: impl Write, mut on_bytes: impl FnMut(u64)) -> io::Result<(Digest, u64)> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0_u8; 1 << 18];
    let mut total = 0_u64;
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let piece = buffer.get(..count).unwrap_or_default();
        hasher.update(piece);
        to.write_all(piece)?;
        total = total.saturating_add(piece.len() as u64);
        on_bytes(total);
    }
    to.flush()?;
    Ok((Digest::finish(hasher), total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_vector() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of(b"abc").as_str(), expected);
        let (digest, bytes) = copy(&b"abc"[..], io::sink(), |_| {}).unwrap();
        assert_eq!((digest.as_str(), bytes), (expected, 3));
    }

    #[test]
    fn only_64_lower_case_digits_are_a_digest() {
        for wrong in ["", "PENDING", &"A".repeat(64), &"a".repeat(63)] {
            assert!(Digest::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_full_disk_is_told_as_such() {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let error = copy(&[0_u8; 10][..], full, |_| {}).map_err(ModelError::io("write", "model.safetensors")).unwrap_err();
        assert!(matches!(error, ModelError::DiskFull { .. }), "{error}");
    }
}
