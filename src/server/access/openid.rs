//! Providers of OpenID Connect: asked what they say of themselves at the start and every hour, and asked for tokens by a few threads at a
//! time. One that is down holds nothing up but its own button.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::spawn_blocking;

use crate::openid::{Answer, OpenIdError, Provider, Step, Subject};
use crate::server::error::ApiError;

/// Seconds between the tries to reach a provider; the last one goes on.
const TRIES: [u64; 5] = [1, 3, 10, 30, 60];
/// How long what a provider says of itself is taken for current.
const CURRENT: Duration = Duration::from_secs(3600);
/// Tokens that are asked for at once, of all providers together.
const TURNS: usize = 8;
/// How long somebody waits for their turn.
const PATIENCE: Duration = Duration::from_secs(20);

/// The providers of this installation.
pub(in crate::server) struct Providers {
    providers: Vec<Arc<Provider>>,
    turns: Semaphore,
    /// Where they send browsers back to.
    back: String,
}

impl Providers {
    /// These, which send browsers back to the page of accounts of this address.
    pub fn new(providers: Vec<Provider>, origin: &str) -> Self {
        let providers = providers.into_iter().map(Arc::new).collect();
        Self { providers, turns: Semaphore::new(TURNS), back: format!("{origin}/accounts") }
    }

    /// All, in the order of their buttons.
    pub fn all(&self) -> impl Iterator<Item = &Provider> {
        self.providers.iter().map(Arc::as_ref)
    }

    /// Keeps current what they say of themselves, until the server closes.
    pub fn run(&self, closing: &watch::Sender<bool>) {
        for provider in &self.providers {
            tokio::spawn(keep_current(Arc::clone(provider), closing.subscribe()));
        }
    }

    /// The provider of this issuer.
    fn of(&self, issuer: &str) -> Result<&Arc<Provider>, ApiError> {
        self.providers.iter().find(|provider| provider.issuer() == issuer).ok_or(ApiError::NotThere)
    }

    /// Begins a sign-in at an issuer: where the browser is to go, and the step that who asked carries.
    ///
    /// # Errors
    /// [`ApiError::NotThere`] for an issuer that is none of these; [`ApiError::OpenIdDown`].
    pub fn begin(&self, issuer: &str) -> Result<(String, Step), ApiError> {
        self.of(issuer)?.begin(&self.back).map_err(told)
    }

    /// Ends a sign-in: who it is.
    ///
    /// # Errors
    /// [`ApiError::OpenIdRefused`] for every reason that is the answer's; [`ApiError::OpenIdDown`].
    pub async fn finish(&self, step: Step, answer: Answer) -> Result<Subject, ApiError> {
        // Its issuer may have gone from the settings since.
        let (provider, back) = (Arc::clone(self.of(&step.issuer).map_err(|_| ApiError::OpenIdRefused)?), self.back.clone());
        let turn = tokio::time::timeout(PATIENCE, self.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else { return Err(ApiError::OpenIdDown) };
        let asked = spawn_blocking(move || provider.finish(&back, &step, &answer)).await;
        asked.map_err(|error| ApiError::internal(&error))?.map_err(told)
    }
}

/// The reason goes to the journal: it names rules of the protocol, and nothing of a person.
fn told(error: OpenIdError) -> ApiError {
    match error {
        OpenIdError::Refused { .. } => {
            tracing::info!(%error, "a sign-in at a provider was refused");
            ApiError::OpenIdRefused
        }
        // The journal has it already: a provider that was not reached is tried again and again.
        OpenIdError::NotReady => ApiError::OpenIdDown,
        OpenIdError::Unreachable { .. } | OpenIdError::Metadata { .. } => {
            tracing::warn!(%error, "nobody can sign in at a provider");
            ApiError::OpenIdDown
        }
        error => ApiError::internal(&error),
    }
}

async fn keep_current(provider: Arc<Provider>, mut closing: watch::Receiver<bool>) {
    let mut failed = 0_usize;
    loop {
        let asked = Arc::clone(&provider);
        let issuer = provider.issuer();
        let wait = match spawn_blocking(move || asked.discover()).await {
            Ok(Ok(())) => {
                if failed > 0 {
                    tracing::info!(issuer, "the provider of OpenID Connect was reached");
                }
                failed = 0;
                CURRENT
            }
            Ok(Err(error)) => {
                tracing::warn!(issuer, %error, "a provider of OpenID Connect cannot be used now");
                let seconds = TRIES.get(failed).or(TRIES.last()).copied().unwrap_or(60);
                failed += 1;
                Duration::from_secs(seconds)
            }
            Err(error) => {
                tracing::error!(issuer, %error, "a provider of OpenID Connect is not asked any more");
                return;
            }
        };
        tokio::select! {
            _ = closing.wait_for(|closing| *closing) => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}
