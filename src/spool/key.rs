//! Keys, and the one way in which this crate seals anything at rest.

use std::fmt;

use chacha20poly1305::aead::Payload;
use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::SpoolError;

/// Bytes of a nonce. So many random bytes may be drawn for each message without a count of them.
pub(super) const NONCE: usize = 24;
/// Bytes that sealing adds to what is sealed.
pub(super) const TAG: usize = 16;

/// A secret key of XChaCha20-Poly1305. It is wiped when dropped, and its `Debug` shows nothing.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Key([u8; 32]);

impl Key {
    /// A new key from the system's random bytes.
    ///
    /// # Errors
    /// [`SpoolError::Random`] when the system gives none.
    pub fn generate() -> Result<Self, SpoolError> {
        let mut key = Self([0; 32]);
        getrandom::fill(&mut key.0).map_err(|_| SpoolError::Random)?;
        Ok(key)
    }

    /// The key of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The secret itself. Call this only to wrap it or to write it to a file that nobody else can read.
    #[must_use]
    pub fn reveal(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seals a message, bound to `context`: a fresh nonce, the ciphertext and its tag.
    ///
    /// # Errors
    /// [`SpoolError::Random`] when the system gives no nonce.
    pub fn seal(&self, context: &[u8], message: &[u8]) -> Result<Vec<u8>, SpoolError> {
        let nonce = nonce()?;
        let mut sealed = nonce.to_vec();
        sealed.extend(self.seal_with(&nonce, context, message)?);
        Ok(sealed)
    }

    /// What was sealed with this key and context. Nothing when a bit of any of the three differs.
    #[must_use]
    pub fn unseal(&self, context: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        self.unseal_with(nonce, context, sealed).map(Zeroizing::new)
    }

    pub(super) fn seal_with(&self, nonce: &[u8; NONCE], context: &[u8], message: &[u8]) -> Result<Vec<u8>, SpoolError> {
        let payload = Payload { msg: message, aad: context };
        self.cipher().encrypt(&XNonce::from(*nonce), payload).map_err(|_| SpoolError::Seal)
    }

    pub(super) fn unseal_with(&self, nonce: &[u8; NONCE], context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        self.cipher().decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: context }).ok()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&self.0).into())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// A nonce that was never used before.
pub(super) fn nonce() -> Result<[u8; NONCE], SpoolError> {
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).map_err(|_| SpoolError::Random)?;
    Ok(nonce)
}
