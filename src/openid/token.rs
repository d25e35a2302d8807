//! What of an ID token is looked at (OpenID Connect Core 1.0, 3.1.3.7).

use openidconnect::core::{CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJwsSigningAlgorithm};
use openidconnect::{ClaimsVerificationError, ClientId, IssuerUrl, Nonce, SignatureVerificationError};

use super::{OpenIdError, ProviderSettings, Step, Subject};

/// Seconds by which the provider's clock may differ from ours.
const CLOCKS: i64 = 120;
/// Seconds before which a token was made, at the most: it is asked for at once.
const FRESH: i64 = 300;

/// How a token may be signed: never by nobody, and never with a secret that two have.
fn algorithms() -> [CoreJwsSigningAlgorithm; 9] {
    use CoreJwsSigningAlgorithm as Alg;
    [
        Alg::RsaSsaPkcs1V15Sha256,
        Alg::RsaSsaPkcs1V15Sha384,
        Alg::RsaSsaPkcs1V15Sha512,
        Alg::RsaSsaPssSha256,
        Alg::RsaSsaPssSha384,
        Alg::RsaSsaPssSha512,
        Alg::EcdsaP256Sha256,
        Alg::EcdsaP384Sha384,
        Alg::EdDsa,
    ]
}

/// What came of looking at a token.
pub(super) enum Looked {
    /// It is right.
    Right(Subject),
    /// It is signed with a key that the provider had not when its keys were fetched.
    OtherKey,
}

/// Looks at an ID token, at a time in seconds since 1970.
pub(super) fn look(
    token: &CoreIdToken,
    (settings, step): (&ProviderSettings, &Step),
    keys: &CoreJsonWebKeySet,
    now: i64,
) -> Result<Looked, OpenIdError> {
    let refused = |what| Err(OpenIdError::Refused { what });
    let issuer =
        IssuerUrl::new(settings.issuer.clone()).map_err(|_| OpenIdError::Metadata { what: "its issuer is no address" })?;
    let (client, acr_values, max_age) = (ClientId::new(settings.client.clone()), settings.acr_values.clone(), settings.max_age);
    // No secret is given to it: what is signed with one is not looked at.
    let verifier = CoreIdTokenVerifier::new_public_client(client.clone(), issuer, keys.clone())
        .set_allowed_algs(algorithms())
        .set_issue_time_verifier_fn(move |issued| {
            let age = now.saturating_sub(issued.timestamp());
            if (-CLOCKS..=FRESH + CLOCKS).contains(&age) { Ok(()) } else { Err("it was not made just now".to_owned()) }
        })
        .set_auth_context_verifier_fn(move |class| match class {
            _ if acr_values.is_empty() => Ok(()),
            Some(class) if acr_values.iter().any(|wanted| wanted == class.as_str()) => Ok(()),
            _ => Err("not of a class that was asked for".to_owned()),
        })
        .set_auth_time_verifier_fn(move |at| match (max_age, at) {
            (None, _) => Ok(()),
            // What passed since the person was sent there counts too, for they signed in meanwhile.
            (Some(most), Some(at)) if now.saturating_sub(at.timestamp()) <= i64::from(most) + FRESH + CLOCKS => Ok(()),
            _ => Err("the person signed in there too long ago".to_owned()),
        });
    let claims = match token.claims(&verifier, &Nonce::new(step.nonce.clone())) {
        Ok(claims) => claims,
        Err(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey)) => {
            return Ok(Looked::OtherKey);
        }
        Err(error) => return refused(why(&error)),
    };
    if claims.authorized_party().is_some_and(|party| *party != client) {
        return refused("the token was made for another client");
    }
    Subject::new(&settings.issuer, claims.subject().as_str()).map(Looked::Right)
}

/// What is wrong with a token. The library's own words quote the token.
fn why(error: &ClaimsVerificationError) -> &'static str {
    use ClaimsVerificationError as Error;
    match error {
        Error::Expired(_) => "the token is expired or was not made just now",
        Error::InvalidAudience(_) => "the token is for somebody else",
        Error::InvalidAuthContext(_) => "the token names no class of authentication that was asked for",
        Error::InvalidAuthTime(_) => "the person signed in there too long ago",
        Error::InvalidIssuer(_) => "the token is another issuer's",
        Error::InvalidNonce(_) => "the token was not asked for here",
        Error::SignatureVerification(_) => "the token's signature is none of the issuer's",
        _ => "the token is none",
    }
}
