//! What is begun at a provider, and what comes back.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use super::OpenIdError;

/// Characters of the longest subject (OpenID Connect Core 1.0, 2).
const LONGEST_SUBJECT: usize = 255;

/// The first step of a sign-in. Who asked carries it, sealed: it is what binds an answer to them.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// At which issuer.
    pub issuer: String,
    /// What the answer has to bring back.
    pub(super) state: String,
    /// What the ID token has to name.
    pub(super) nonce: String,
    /// What shows the provider that who brings the code asked for it (PKCE).
    pub(super) verifier: String,
}

impl Step {
    /// A new one.
    pub(super) fn new(issuer: &str) -> Result<Self, OpenIdError> {
        Ok(Self { issuer: issuer.to_owned(), state: random()?, nonce: random()?, verifier: random()? })
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Step").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.verifier.zeroize();
    }
}

fn random() -> Result<String, OpenIdError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| OpenIdError::Random)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// What a provider sent a browser back with.
pub struct Answer {
    /// What the ID token is had for, once.
    pub code: String,
    /// As it was given.
    pub state: String,
    /// Which issuer answers, where the provider says so (RFC 9207).
    pub issuer: Option<String>,
}

/// Who signed in, as an issuer names them. Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Subject {
    issuer: String,
    subject: String,
}

impl Subject {
    /// The subject of an ID token that was right.
    pub(super) fn new(issuer: &str, subject: &str) -> Result<Self, OpenIdError> {
        if subject.is_empty() || subject.chars().count() > LONGEST_SUBJECT {
            return Err(OpenIdError::Refused { what: "the token's subject is none" });
        }
        Ok(Self { issuer: issuer.to_owned(), subject: subject.to_owned() })
    }

    /// At which issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What the issuer calls them. It may be a person's number: it is kept as a keyed hash, and told to nobody.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.subject
    }

    /// For tests of what keeps subjects.
    #[cfg(test)]
    pub(crate) fn for_tests(issuer: &str, subject: &str) -> Self {
        Self { issuer: issuer.to_owned(), subject: subject.to_owned() }
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subject(..)")
    }
}
