//! The keyed hashes that patients are found by: no index holds a name, a number or a date.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::IdentityError;
use crate::audit::Pseudonym;

/// The server's key for its indexes. It is wiped when dropped, and its `Debug` shows nothing.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct IndexKey([u8; 32]);

/// What a value is found by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyedHash([u8; 32]);

impl IndexKey {
    /// The key of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash of a value of this kind.
    ///
    /// # Errors
    /// [`IdentityError::Hash`], which no value gives.
    pub fn hash(&self, kind: &str, value: &str) -> Result<KeyedHash, IdentityError> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).map_err(|_| IdentityError::Hash)?;
        // No kind holds a line break, so that no two values have the same text.
        for part in ["cantoscribe index 1", kind, value] {
            mac.update(part.as_bytes());
            mac.update(b"\n");
        }
        Ok(KeyedHash(mac.finalize().into_bytes().into()))
    }

    /// The hash of a number of this kind that this institution issued. The first line is none of [`Self::hash`]'s, and each part stands behind
    /// its length, so that no two numbers have the same text.
    ///
    /// # Errors
    /// As [`Self::hash`].
    pub fn hash_issued(&self, kind: &str, issuer: &str, value: &str) -> Result<KeyedHash, IdentityError> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).map_err(|_| IdentityError::Hash)?;
        mac.update(b"cantoscribe index 2\n");
        for part in [kind, issuer, value] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        Ok(KeyedHash(mac.finalize().into_bytes().into()))
    }

    /// How the audit log names a patient, whose id here is random.
    ///
    /// # Errors
    /// As [`Self::hash`].
    pub fn pseudonym(&self, patient: &str) -> Result<Pseudonym, IdentityError> {
        self.hash("pseudonym", patient).map(|KeyedHash(bytes)| Pseudonym::from_bytes(bytes))
    }
}

impl KeyedHash {
    /// What an index holds.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for IndexKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IndexKey(..)")
    }
}

impl fmt::Debug for KeyedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyedHash(..)")
    }
}
