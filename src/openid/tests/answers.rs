use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use openidconnect::url::Url;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::super::{Answer, OpenIdError, ProviderSettings};
use super::issuer::{BACK, CLIENT, Issuer, SECRET, Signed, answer, refused};

fn parameters(of: &str) -> BTreeMap<String, String> {
    Url::parse(of).unwrap().query_pairs().into_owned().collect()
}

#[test]
fn the_browser_is_sent_there_with_all_that_is_asked_for_and_no_secret() {
    let issuer = Issuer::start();
    let settings = ProviderSettings { acr_values: vec!["two".into(), "three".into()], max_age: Some(0), ..issuer.settings() };
    let provider = issuer.provider(settings);
    provider.discover().unwrap();
    let (url, step) = provider.begin(BACK).unwrap();
    assert!(url.starts_with(&format!("{}/auth?", issuer.address)) && !url.contains("secret"), "{url}");
    let given = parameters(&url);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&step.verifier));
    for (name, value) in [
        ("response_type", "code"),
        ("response_mode", "query"),
        ("client_id", CLIENT),
        ("redirect_uri", BACK),
        ("scope", "openid profile"),
        ("code_challenge_method", "S256"),
        ("code_challenge", &challenge),
        ("state", &step.state),
        ("nonce", &step.nonce),
        ("acr_values", "two three"),
        ("max_age", "0"),
    ] {
        assert_eq!(given.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert_eq!(given.len(), 11);
    let again = provider.begin(BACK).unwrap().1;
    assert!(again.state != step.state && again.nonce != step.nonce && again.verifier != step.verifier);
    let shown = format!("{step:?}");
    assert!(![&step.state, &step.nonce, &step.verifier].into_iter().any(|secret| shown.contains(secret.as_str())));
}

#[test]
fn a_code_is_brought_with_the_verifier_and_the_clients_secret() {
    let issuer = Issuer::start();
    let asked = |methods: Value| {
        let mut metadata = issuer.metadata();
        metadata["token_endpoint_auth_methods_supported"] = methods;
        issuer.answer("/.well-known/openid-configuration", 200, metadata);
        let provider = issuer.known();
        let (_, step) = provider.begin(BACK).unwrap();
        issuer.give(&Signed::P256.token(&issuer.claims(&step)));
        provider.finish(BACK, &step, &answer(&step)).unwrap();
        let (_, head, body) = issuer.said.lock().unwrap().asked.pop().unwrap();
        let given = parameters(&format!("http://x/?{body}"));
        let named = |name: &str| given.get(name).cloned().unwrap_or_default();
        assert_eq!(
            (named("grant_type"), named("code"), named("redirect_uri")),
            ("authorization_code".into(), "code".into(), BACK.into())
        );
        assert_eq!(named("code_verifier"), step.verifier);
        (head.lines().find_map(|line| line.strip_prefix("authorization: Basic ")).map(str::to_owned), named("client_secret"))
    };
    let (basic, in_body) = asked(json!(["client_secret_basic", "client_secret_post"]));
    let basic = String::from_utf8(STANDARD.decode(basic.unwrap()).unwrap()).unwrap();
    // As a form has it (RFC 6749, 2.3.1).
    assert_eq!((basic.as_str(), in_body.as_str()), ("cantoscribe:a+secret%2Bthat+is%2Fencoded%25", ""));
    assert_eq!(asked(json!(["client_secret_post"])), (None, SECRET.to_owned()));
    assert!(asked(Value::Null).0.is_some());
}

#[test]
fn an_answer_that_was_not_asked_for_here_gets_no_code_anywhere() {
    let issuer = Issuer::start();
    let other = Issuer::start();
    let (provider, at_other) = (issuer.known(), other.known());
    let (_, step) = provider.begin(BACK).unwrap();
    let (_, another) = provider.begin(BACK).unwrap();
    let (_, elsewhere) = at_other.begin(BACK).unwrap();
    issuer.give(&Signed::P256.token(&issuer.claims(&step)));
    let right = || answer(&step);
    for (why, step, given) in [
        ("another browser's state", &step, Answer { state: another.state.clone(), ..right() }),
        ("no state", &step, Answer { state: String::new(), ..right() }),
        ("the beginning of the state", &step, Answer { state: step.state[..20].to_owned(), ..right() }),
        ("another issuer's answer", &step, Answer { issuer: Some(other.address.clone()), ..right() }),
        ("begun at another issuer", &elsewhere, answer(&elsewhere)),
        ("no code", &step, Answer { code: String::new(), ..right() }),
        ("an endless code", &step, Answer { code: "x".repeat(10_000), ..right() }),
    ] {
        assert!(refused(provider.finish(BACK, step, &given)).is_some(), "{why}");
    }
    assert_eq!((issuer.asked("/token"), other.asked("/token")), (0, 0));
    let named = Answer { issuer: Some(issuer.address.clone()), ..right() };
    assert!(provider.finish(BACK, &step, &named).is_ok());
    // The token of one sign-in is nothing in another.
    assert!(refused(provider.finish(BACK, &another, &answer(&another))).is_some());
    let mut metadata = issuer.metadata();
    metadata["authorization_response_iss_parameter_supported"] = true.into();
    issuer.answer("/.well-known/openid-configuration", 200, metadata);
    provider.discover().unwrap();
    assert!(refused(provider.finish(BACK, &step, &right())).is_some(), "an issuer that names itself always does");
    assert!(provider.finish(BACK, &step, &named).is_ok());
}

#[test]
fn an_issuer_that_is_down_or_answers_with_something_else_lets_nobody_in() {
    let issuer = Issuer::start();
    let provider = issuer.provider(issuer.settings());
    assert!(matches!(provider.begin(BACK), Err(OpenIdError::NotReady)));
    provider.discover().unwrap();
    let (_, step) = provider.begin(BACK).unwrap();
    let right = json!({"access_token": "x", "token_type": "Bearer", "id_token": Signed::P256.token(&issuer.claims(&step))});
    let without = json!({"access_token": "x", "token_type": "Bearer"});
    for (status, content) in [
        (400, json!({"error": "invalid_grant", "error_description": "Chan"})),
        (401, json!({"error": "invalid_client"})),
        (302, right.clone()),
        (500, json!("Chan")),
        (200, without),
        (200, json!({"access_token": "x", "token_type": "Bearer", "id_token": "Chan"})),
        (200, json!([])),
        (200, Value::String("x".repeat(2 << 20))),
    ] {
        issuer.answer("/token", status, content);
        let error = provider.finish(BACK, &step, &answer(&step)).err().unwrap();
        assert!(matches!(error, OpenIdError::Refused { .. } | OpenIdError::Unreachable { .. }), "{status} {error}");
        assert!(!format!("{error} {error:?}").contains("Chan"), "{error:?}");
    }
    issuer.answer("/token", 200, right);
    assert!(provider.finish(BACK, &step, &answer(&step)).is_ok());
    issuer.answer("/.well-known/openid-configuration", 500, Value::Null);
    assert!(matches!(provider.discover(), Err(OpenIdError::Unreachable { .. })));
    assert!(provider.begin(BACK).is_ok(), "what was known stays");
    let down = issuer.provider(ProviderSettings { issuer: "http://127.0.0.1:1".into(), ..issuer.settings() });
    assert!(matches!(down.discover(), Err(OpenIdError::Unreachable { what: "the connection failed" })));
}

#[test]
fn what_an_issuer_says_of_itself_has_to_be_what_is_needed() {
    let issuer = Issuer::start();
    let provider = issuer.provider(issuer.settings());
    let said = |name: &str, value: Value| {
        let mut metadata = issuer.metadata();
        metadata[name] = value;
        issuer.answer("/.well-known/openid-configuration", 200, metadata);
        provider.discover()
    };
    assert!(said("code_challenge_methods_supported", json!(["plain", "S256"])).is_ok());
    for (name, value) in [
        ("issuer", json!("https://other.example")),
        ("authorization_endpoint", json!("http://other.example/auth")),
        ("token_endpoint", json!("http://other.example/token")),
        ("token_endpoint", json!("file:///etc/passwd")),
        ("token_endpoint", Value::Null),
        ("jwks_uri", json!("http://other.example/keys")),
        ("code_challenge_methods_supported", json!(["plain"])),
        ("response_types_supported", json!(["id_token"])),
        ("jwks_uri", Value::Null),
    ] {
        let outcome = said(name, value.clone());
        assert!(
            matches!(outcome, Err(OpenIdError::Metadata { .. } | OpenIdError::Unreachable { .. })),
            "{name} {value}: {outcome:?}"
        );
    }
}
