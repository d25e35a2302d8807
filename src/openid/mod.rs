//! Signing in at an OpenID Connect issuer (OpenID Connect Core 1.0, authorization code flow with PKCE): a hospital's own, or another.
//!
//! Invariant: there is no [`Subject`] but from an ID token whose signature, issuer, audience, times and nonce were right, and which was asked
//! for by who brings the code. Nothing that a provider answers is quoted in an error or a log: it may name a person.
//!
//! Providers block: whoever asks one has a thread for it.

mod error;
mod http;
mod provider;
mod settings;
mod step;
mod token;

pub use error::OpenIdError;
pub use provider::Provider;
pub use settings::{ProviderSettings, Settings};
pub use step::{Answer, Step, Subject};

#[cfg(test)]
mod tests;
