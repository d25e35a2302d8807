//! One provider: what it says of itself, kept current, and the two steps of signing in at it.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthenticationFlow, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod, CoreGrantType,
    CoreIdToken, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode,
    CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::{
    AdditionalProviderMetadata, AuthType, AuthenticationContextClass, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    DiscoveryError, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, ProviderMetadata, RedirectUrl, RequestTokenError,
    Scope, TokenResponse as _,
};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::http::{HttpError, agent, send};
use super::token::{Looked, look};
use super::{Answer, OpenIdError, ProviderSettings, Step, Subject};
use crate::gateway;

/// How long the keys that were fetched last are not fetched again for a token of another key: anybody with an account there may bring one.
const KEYS: Duration = Duration::from_secs(10);
/// Characters of the longest code.
const LONGEST_CODE: usize = 4096;

/// What the library does not know of what a provider says of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct More {
    /// Whether each answer says whose it is (RFC 9207).
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    /// How PKCE can be done (RFC 8414); nothing where it is not said.
    #[serde(default)]
    code_challenge_methods_supported: Option<Vec<String>>,
}

impl AdditionalProviderMetadata for More {}

type Metadata = ProviderMetadata<
    More,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// A provider.
pub struct Provider {
    settings: ProviderSettings,
    secret: Zeroizing<String>,
    agent: ureq::Agent,
    known: RwLock<Option<Arc<Metadata>>>,
    /// When its keys were fetched for a token of another key.
    fetched: Mutex<Option<Instant>>,
}

impl Provider {
    /// All providers of the settings. None of them is asked yet.
    ///
    /// # Errors
    /// What of the settings is wrong, a secret that cannot be had, and an issuer that is named twice.
    pub fn all(settings: super::Settings) -> Result<Vec<Self>, OpenIdError> {
        let mut providers: Vec<Self> = Vec::new();
        for settings in settings.provider {
            if providers.iter().any(|known| known.settings.issuer == settings.issuer) {
                let what = "it is named twice";
                return Err(gateway::GatewayError::Setting { field: "provider.issuer", what }.into());
            }
            providers.push(Self::new(settings)?);
        }
        Ok(providers)
    }

    /// The provider of these settings.
    fn new(settings: ProviderSettings) -> Result<Self, OpenIdError> {
        settings.check()?;
        let (secret, agent) = (settings.secret()?, agent(settings.authority.as_deref())?);
        Ok(Self { settings, secret, agent, known: RwLock::default(), fetched: Mutex::default() })
    }

    /// Its issuer: what it is known by.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// What its button says, and in Chinese.
    #[must_use]
    pub fn names(&self) -> (&str, Option<&str>) {
        (&self.settings.name, self.settings.chinese_name.as_deref())
    }

    /// Asks what it says of itself, and for its keys. What was known before stays where this fails.
    ///
    /// # Errors
    /// When it does not answer, or with something that cannot be used.
    pub fn discover(&self) -> Result<(), OpenIdError> {
        let issuer = IssuerUrl::new(self.settings.issuer.clone()).map_err(|_| unusable("its issuer is no address"))?;
        let asked = Metadata::discover(&issuer, &|request| send(&self.agent, request));
        let found = asked.map_err(|error| match error {
            DiscoveryError::Request(HttpError { what }) => OpenIdError::Unreachable { what },
            DiscoveryError::Response(..) => OpenIdError::Unreachable { what: "it has no such page" },
            DiscoveryError::Validation(_) => unusable("it names another issuer"),
            _ => unusable("it is not of the form of OpenID Connect Discovery"),
        })?;
        usable(&found)?;
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(found));
        Ok(())
    }

    fn known(&self) -> Result<Arc<Metadata>, OpenIdError> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or(OpenIdError::NotReady)
    }

    /// Begins a sign-in whose answer comes back to this address: where the browser is to go. Asks nobody.
    ///
    /// # Errors
    /// [`OpenIdError::NotReady`] while the provider was not reached yet.
    pub fn begin(&self, back: &str) -> Result<(String, Step), OpenIdError> {
        let (known, step) = (self.known()?, Step::new(self.issuer())?);
        let client = CoreClient::from_provider_metadata((*known).clone(), ClientId::new(self.settings.client.clone()), None)
            .set_redirect_uri(redirect(back)?);
        let (state, nonce) = (CsrfToken::new(step.state.clone()), Nonce::new(step.nonce.clone()));
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(step.verifier.clone()));
        let mut asked = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, move || state, move || nonce)
            .add_scopes(self.settings.scopes.iter().filter(|scope| *scope != "openid").cloned().map(Scope::new))
            .add_extra_param("response_mode", "query")
            .set_pkce_challenge(challenge);
        for class in &self.settings.acr_values {
            asked = asked.add_auth_context_value(AuthenticationContextClass::new(class.clone()));
        }
        if let Some(most) = self.settings.max_age {
            asked = asked.set_max_age(Duration::from_secs(most.into()));
        }
        Ok((asked.url().0.into(), step))
    }

    /// Ends a sign-in: has the ID token for the code, and looks at it.
    ///
    /// # Errors
    /// [`OpenIdError::Refused`] for whatever is not as it was asked for; when the provider does not answer.
    pub fn finish(&self, back: &str, step: &Step, answer: &Answer) -> Result<Subject, OpenIdError> {
        let known = self.known()?;
        self.is_ours(&known, step, answer)?;
        let token = self.exchange(&known, back, step, &answer.code)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed());
        if let Looked::Right(subject) = look(&token, (&self.settings, step), known.jwks(), now)? {
            return Ok(subject);
        }
        if self.may_fetch() {
            self.discover()?;
        }
        match look(&token, (&self.settings, step), self.known()?.jwks(), now)? {
            Looked::Right(subject) => Ok(subject),
            Looked::OtherKey => Err(refused("the token's signature is none of the issuer's")),
        }
    }

    /// Whether an answer is the one that this step asked for: then alone its code is sent anywhere.
    fn is_ours(&self, known: &Metadata, step: &Step, answer: &Answer) -> Result<(), OpenIdError> {
        if step.issuer != self.settings.issuer {
            return Err(refused("it was begun at another issuer"));
        }
        if !bool::from(step.state.as_bytes().ct_eq(answer.state.as_bytes())) {
            return Err(refused("the answer is none to what was asked here"));
        }
        match &answer.issuer {
            Some(issuer) if *issuer != self.settings.issuer => return Err(refused("the answer is another issuer's")),
            None if known.additional_metadata().authorization_response_iss_parameter_supported => {
                return Err(refused("the answer does not say whose it is"));
            }
            _ => {}
        }
        if answer.code.is_empty() || answer.code.len() > LONGEST_CODE {
            return Err(refused("the answer has no code"));
        }
        Ok(())
    }

    fn exchange(&self, known: &Metadata, back: &str, step: &Step, code: &str) -> Result<CoreIdToken, OpenIdError> {
        let secret = ClientSecret::new(self.secret.as_str().to_owned());
        let by_head = known.token_endpoint_auth_methods_supported().is_none_or(|ways| {
            ways.contains(&CoreClientAuthMethod::ClientSecretBasic) || !ways.contains(&CoreClientAuthMethod::ClientSecretPost)
        });
        let client = CoreClient::from_provider_metadata(known.clone(), ClientId::new(self.settings.client.clone()), Some(secret))
            .set_redirect_uri(redirect(back)?)
            .set_auth_type(if by_head { AuthType::BasicAuth } else { AuthType::RequestBody });
        let request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|_| unusable("it names no address for tokens"))?
            .set_pkce_verifier(PkceCodeVerifier::new(step.verifier.clone()));
        let answer = request.request(&|request| send(&self.agent, request)).map_err(|error| match error {
            RequestTokenError::Request(HttpError { what }) => OpenIdError::Unreachable { what },
            RequestTokenError::ServerResponse(_) => refused("the provider gives no token for the code"),
            _ => refused("the provider's answer is no token"),
        })?;
        answer.id_token().cloned().ok_or_else(|| refused("the provider's answer has no ID token"))
    }

    fn may_fetch(&self) -> bool {
        let mut fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        let may = fetched.is_none_or(|at| at.elapsed() >= KEYS);
        if may {
            *fetched = Some(Instant::now());
        }
        may
    }
}

fn redirect(back: &str) -> Result<RedirectUrl, OpenIdError> {
    RedirectUrl::new(back.to_owned()).map_err(|_| unusable("the address to come back to is none"))
}

fn refused(what: &'static str) -> OpenIdError {
    OpenIdError::Refused { what }
}

fn unusable(what: &'static str) -> OpenIdError {
    OpenIdError::Metadata { what }
}

/// Whether what a provider says of itself is what is needed here.
fn usable(found: &Metadata) -> Result<(), OpenIdError> {
    let may_ask = |address: &str| gateway::http::check(address, "", "").is_ok();
    let tokens = found.token_endpoint().ok_or_else(|| unusable("it names no address for tokens"))?;
    if ![found.authorization_endpoint().as_str(), tokens.as_str(), found.jwks_uri().as_str()].into_iter().all(may_ask) {
        return Err(unusable("it names an address that is no https"));
    }
    let ways = &found.additional_metadata().code_challenge_methods_supported;
    if ways.as_ref().is_some_and(|ways| !ways.iter().any(|way| way == "S256")) {
        return Err(unusable("it has no PKCE with S256"));
    }
    if !found.response_types_supported().iter().any(|types| **types == [CoreResponseType::Code]) {
        return Err(unusable("it has no authorization code flow"));
    }
    Ok(())
}
