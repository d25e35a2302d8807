use serde_json::{Value, json};

use super::issuer::{CLIENT, Issuer, Signed, keys, now, refused};

#[test]
fn a_token_is_taken_that_is_signed_with_the_issuers_key() {
    let issuer = Issuer::start();
    let provider = issuer.known();
    for signed in [Signed::Rsa("RS256"), Signed::Rsa("RS512"), Signed::Rsa("PS256"), Signed::P256, Signed::Ed25519] {
        let subject = issuer.sign_in(&provider, |step| signed.token(&issuer.claims(step))).unwrap();
        assert_eq!((subject.issuer(), subject.reveal()), (issuer.address.as_str(), "staff-1"), "{signed:?}");
        assert_eq!(format!("{subject:?}"), "Subject(..)");
    }
    let with = |name: &str, value: Value| {
        issuer.sign_in(&provider, |step| {
            let mut claims = issuer.claims(step);
            claims[name] = value;
            Signed::P256.token(&claims)
        })
    };
    for (name, value) in
        [("aud", json!([CLIENT])), ("azp", json!(CLIENT)), ("email", json!("x@y.example")), ("iat", json!(now() - 60))]
    {
        assert!(with(name, value.clone()).is_ok(), "{name} {value}");
    }
    let without_kid = issuer.sign_in(&provider, |step| Signed::P256.token_of(&json!({"alg": "ES256"}), &issuer.claims(step)));
    assert!(without_kid.is_ok());
}

#[test]
fn no_other_signature_is() {
    let issuer = Issuer::start();
    let provider = issuer.known();
    for signed in [Signed::AnothersRsa, Signed::AnothersP256, Signed::ByPublicKey, Signed::ByClientSecret, Signed::Not] {
        let outcome = issuer.sign_in(&provider, |step| signed.token(&issuer.claims(step)));
        assert!(refused(outcome).is_some(), "{signed:?}");
    }
    let heads = [
        (Signed::Rsa("RS256"), json!({"alg": "none"})),
        (Signed::Rsa("RS256"), json!({"alg": "HS256", "kid": "rsa"})),
        (Signed::Rsa("RS256"), json!({"alg": "RS384", "kid": "rsa"})),
        (Signed::Rsa("RS256"), json!({"alg": "ES256", "kid": "rsa"})),
        (Signed::P256, json!({"alg": "RS256", "kid": "p256"})),
        (Signed::P256, json!({"alg": "ES256", "kid": "ed"})),
        (Signed::P256, json!({"alg": "ES256", "kid": "p256", "crit": ["exp"]})),
        (Signed::P256, json!({"alg": "ES256", "kid": "p256", "cty": "JWT"})),
        (Signed::P256, json!({"alg": "ES256", "kid": "p256", "typ": "logout+jwt"})),
        (Signed::P256, json!({"alg": "RSA-OAEP", "enc": "A128GCM"})),
        (Signed::P256, json!({"alg": "of the future"})),
        (Signed::AnothersP256, json!({"alg": "ES256", "kid": "new", "jwk": keys()["keys"][1]})),
        (Signed::P256, json!({})),
        (Signed::P256, json!([])),
    ];
    for (signed, head) in heads {
        let outcome = issuer.sign_in(&provider, |step| signed.token_of(&head, &issuer.claims(step)));
        assert!(refused(outcome).is_some(), "{head}");
    }
    let changed =
        |change: fn(&str) -> String| issuer.sign_in(&provider, |step| change(&Signed::P256.token(&issuer.claims(step))));
    let changes: [fn(&str) -> String; 8] = [
        |token| token[..token.len() - 4].to_owned(),
        |token| format!("{}.", token.rsplit_once('.').unwrap().0),
        |token| token.rsplit_once('.').unwrap().0.to_owned(),
        |token| format!("{token}.x"),
        |token| token.replacen('.', ".A", 1),
        |token| format!("{}.{}", token.split('.').next().unwrap(), token.rsplit_once('.').unwrap().1),
        |_| "..".to_owned(),
        |_| String::new(),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        assert!(refused(changed(change)).is_some(), "change {number}");
    }
    // Claims of somebody else under a signature that was right.
    let swapped = issuer.sign_in(&provider, |step| {
        let mut claims = issuer.claims(step);
        let right = Signed::P256.token(&claims);
        claims["sub"] = "staff-2".into();
        let other = Signed::AnothersP256.token(&claims);
        format!("{}.{}", other.rsplit_once('.').unwrap().0, right.rsplit_once('.').unwrap().1)
    });
    assert!(refused(swapped).is_some());
}

#[test]
fn no_other_claims_are() {
    let issuer = Issuer::start();
    let provider = issuer.known();
    let address = issuer.address.as_str();
    let cases = [
        ("iss", json!("https://other.example")),
        ("iss", json!(format!("{address}/"))),
        ("iss", Value::Null),
        ("aud", json!("other")),
        ("aud", json!([CLIENT, "other"])),
        ("aud", json!([])),
        ("aud", Value::Null),
        ("azp", json!("other")),
        ("exp", json!(now() - 1)),
        ("exp", json!("never")),
        ("exp", Value::Null),
        ("iat", json!(now() - 3600)),
        ("iat", json!(now() + 3600)),
        ("iat", Value::Null),
        ("nonce", json!("another")),
        ("nonce", json!("")),
        ("nonce", Value::Null),
        ("sub", json!("")),
        ("sub", json!("x".repeat(256))),
        ("sub", json!(7)),
        ("sub", Value::Null),
    ];
    for (name, value) in cases {
        let outcome = issuer.sign_in(&provider, |step| {
            let mut claims = issuer.claims(step);
            claims[name] = value.clone();
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            }
            Signed::P256.token(&claims)
        });
        let what = refused(outcome);
        assert!(what.is_some_and(|what| !what.contains("example")), "{name} {value}: {what:?}");
    }
}

#[test]
fn what_was_asked_for_of_the_sign_in_there_has_to_be_so() {
    let issuer = Issuer::start();
    let strict = |name: &str, value: Value| {
        let provider = issuer.provider(super::super::ProviderSettings {
            acr_values: vec!["two".into()],
            max_age: Some(60),
            ..issuer.settings()
        });
        provider.discover().unwrap();
        issuer.sign_in(&provider, |step| {
            let mut claims = issuer.claims(step);
            (claims["acr"], claims["auth_time"]) = ("two".into(), now().into());
            claims[name] = value;
            Signed::P256.token(&claims)
        })
    };
    assert!(strict("acr", json!("two")).is_ok());
    assert!(strict("auth_time", json!(now() - 30)).is_ok());
    for (name, value) in [
        ("acr", json!("one")),
        ("acr", json!("")),
        ("acr", Value::Null),
        ("auth_time", json!(now() - 3600)),
        ("auth_time", Value::Null),
    ] {
        assert!(refused(strict(name, value.clone())).is_some(), "{name} {value}");
    }
}

#[test]
fn a_new_key_of_the_issuers_is_asked_for_once() {
    let issuer = Issuer::start();
    issuer.answer("/keys", 200, json!({"keys": []}));
    let provider = issuer.known();
    assert_eq!(issuer.asked("/keys"), 1);
    issuer.answer("/keys", 200, keys());
    assert!(issuer.sign_in(&provider, |step| Signed::P256.token(&issuer.claims(step))).is_ok());
    assert_eq!(issuer.asked("/keys"), 2);
    for _ in 0..3 {
        let unknown = json!({"alg": "ES256", "kid": "unknown"});
        let outcome = issuer.sign_in(&provider, |step| Signed::AnothersP256.token_of(&unknown, &issuer.claims(step)));
        assert!(refused(outcome).is_some());
    }
    assert_eq!(issuer.asked("/keys"), 2, "not again and again");
}
