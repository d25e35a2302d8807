//! Secrets and names from the system's random bytes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

use super::RoomError;

/// What lets a client come back to its recording. Its `Debug` shows nothing.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// A new one, of 256 random bits.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn generate() -> Result<Self, RoomError> {
        Ok(Self(random::<32>()?))
    }

    /// A token as a client sent it.
    #[must_use]
    pub fn from_client(token: String) -> Self {
        Self(token)
    }

    /// The secret itself, for the client it belongs to.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored in its place.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// Whether it is the one whose hash was stored, in time that tells nothing.
    #[must_use]
    pub fn matches(&self, hash: &[u8; 32]) -> bool {
        self.hash().ct_eq(hash).into()
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(..)")
    }
}

/// A recording's id: 128 random bits, so that it cannot be guessed and tells nothing.
pub(super) fn recording_id() -> Result<String, RoomError> {
    random::<16>()
}

fn random<const BYTES: usize>() -> Result<String, RoomError> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|_| RoomError::Random)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_matches_its_own_hash_and_shows_nothing() {
        let (token, other) = (Token::generate().unwrap(), Token::generate().unwrap());
        assert!(token.matches(&token.hash()) && !other.matches(&token.hash()));
        assert!(Token::from_client(token.reveal().to_owned()).matches(&token.hash()));
        assert_eq!(token.reveal().len(), 43);
        assert_eq!(format!("{token:?}"), "Token(..)");
        assert_ne!(recording_id().unwrap(), recording_id().unwrap());
    }
}
