//! Why somebody cannot sign in at a provider.

use crate::gateway::GatewayError;

/// What went wrong. Nothing in it comes from a token or from what a provider answered.
#[derive(Debug, thiserror::Error)]
pub enum OpenIdError {
    /// The settings cannot be used.
    #[error(transparent)]
    Settings(#[from] GatewayError),
    /// The client's secret cannot be had.
    #[error("the secret of the OpenID Connect client `{client}` cannot be used: {what}")]
    Secret {
        /// The client's id.
        client: String,
        /// Why not.
        what: &'static str,
    },
    /// Nothing is known of the provider yet.
    #[error("the provider was not reached yet")]
    NotReady,
    /// The provider did not answer, or not in words that can be understood.
    #[error("the provider could not be asked: {what}")]
    Unreachable {
        /// What failed.
        what: &'static str,
    },
    /// What the provider says of itself is not what is asked for here.
    #[error("what the provider says of itself cannot be used: {what}")]
    Metadata {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The sign-in is none.
    #[error("a sign-in was refused: {what}")]
    Refused {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random,
}
