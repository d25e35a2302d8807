//! An issuer on this machine, which answers whatever a test wants it to.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use openidconnect::core::{CoreJwsSigningAlgorithm, CoreRsaPrivateSigningKey};
use openidconnect::{JsonWebKeyId, PrivateSigningKey as _};
use p256::ecdsa::signature::Signer as _;
use rsa::pkcs1::{EncodeRsaPrivateKey as _, LineEnding};
use serde_json::{Value, json};
use sha2::Sha256;

use super::super::{Answer, OpenIdError, Provider, ProviderSettings, Step, Subject};

pub const CLIENT: &str = "cantoscribe";
pub const SECRET: &str = "a secret+that is/encoded%";
pub const BACK: &str = "https://clinic.example/accounts";

/// The RSA keys of this run, made once: ours, and another's.
static RSA: LazyLock<[String; 2]> = LazyLock::new(|| {
    let key = || rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
    [key(), key()].map(|key| key.to_pkcs1_pem(LineEnding::LF).unwrap().to_string())
});

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    Rsa(&'static str),
    AnothersRsa,
    P256,
    AnothersP256,
    Ed25519,
    /// By a secret that whoever reads the public keys has.
    ByPublicKey,
    ByClientSecret,
    Not,
}

fn rsa_key(which: usize) -> CoreRsaPrivateSigningKey {
    CoreRsaPrivateSigningKey::from_pem(&RSA[which], Some(JsonWebKeyId::new("rsa".into()))).unwrap()
}

fn p256_key(which: u8) -> p256::ecdsa::SigningKey {
    p256::ecdsa::SigningKey::from_slice(&[which + 1; 32]).unwrap()
}

fn ed25519_key() -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[5; 32])
}

fn rsa_jwk() -> Value {
    serde_json::to_value(rsa_key(0).as_verification_key()).unwrap()
}

/// The public keys.
pub fn keys() -> Value {
    let point = p256_key(0).verifying_key().to_sec1_point(false);
    let (x, y) = (URL_SAFE_NO_PAD.encode(point.x().unwrap()), URL_SAFE_NO_PAD.encode(point.y().unwrap()));
    let ed = URL_SAFE_NO_PAD.encode(ed25519_key().verifying_key().to_bytes());
    json!({"keys": [
        rsa_jwk(),
        {"kty": "EC", "use": "sig", "crv": "P-256", "kid": "p256", "x": x, "y": y},
        {"kty": "OKP", "use": "sig", "crv": "Ed25519", "kid": "ed", "x": ed},
        {"kty": "of the future", "kid": "x"},
    ]})
}

impl Signed {
    pub fn head(self) -> Value {
        let (alg, kid) = match self {
            Self::Rsa(alg) => (alg, "rsa"),
            Self::AnothersRsa => ("RS256", "rsa"),
            Self::P256 | Self::AnothersP256 => ("ES256", "p256"),
            Self::Ed25519 => ("EdDSA", "ed"),
            Self::ByPublicKey | Self::ByClientSecret => ("HS256", "rsa"),
            Self::Not => ("none", "rsa"),
        };
        json!({"alg": alg, "kid": kid, "typ": "JWT"})
    }

    fn sign(self, signed: &[u8]) -> Vec<u8> {
        use CoreJwsSigningAlgorithm as Alg;
        let hmac =
            |secret: &[u8]| Hmac::<Sha256>::new_from_slice(secret).unwrap().chain_update(signed).finalize().into_bytes().to_vec();
        match self {
            Self::Rsa("PS256") => rsa_key(0).sign(&Alg::RsaSsaPssSha256, signed).unwrap(),
            Self::Rsa("RS512") => rsa_key(0).sign(&Alg::RsaSsaPkcs1V15Sha512, signed).unwrap(),
            Self::Rsa(_) => rsa_key(0).sign(&Alg::RsaSsaPkcs1V15Sha256, signed).unwrap(),
            Self::AnothersRsa => rsa_key(1).sign(&Alg::RsaSsaPkcs1V15Sha256, signed).unwrap(),
            Self::P256 | Self::AnothersP256 => {
                let signature: p256::ecdsa::Signature = p256_key(u8::from(self == Self::AnothersP256)).sign(signed);
                signature.to_bytes().to_vec()
            }
            Self::Ed25519 => ed25519_dalek::Signer::sign(&ed25519_key(), signed).to_bytes().to_vec(),
            Self::ByPublicKey => hmac(&URL_SAFE_NO_PAD.decode(rsa_jwk()["n"].as_str().unwrap()).unwrap()),
            Self::ByClientSecret => hmac(SECRET.as_bytes()),
            Self::Not => Vec::new(),
        }
    }

    /// A token of this head and these claims.
    pub fn token_of(self, head: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(head), part(claims));
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(self.sign(signed.as_bytes())))
    }

    pub fn token(self, claims: &Value) -> String {
        self.token_of(&self.head(), claims)
    }
}

pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed()
}

/// What it answers, by path, and what it was asked.
#[derive(Default)]
pub struct Said {
    pub answers: BTreeMap<&'static str, (u16, Value)>,
    pub asked: Vec<(String, String, String)>,
}

/// The issuer.
pub struct Issuer {
    pub address: String,
    pub said: Arc<Mutex<Said>>,
    folder: tempfile::TempDir,
}

impl Issuer {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let said = Arc::new(Mutex::new(Said::default()));
        let shared = Arc::clone(&said);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap() > 0 {}
                let length = head.to_lowercase();
                let length = length.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
                let mut body = vec![0; length.unwrap_or(0)];
                reader.read_exact(&mut body).unwrap();
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                let mut said = shared.lock().unwrap();
                let answer = said.answers.get(path.as_str()).cloned();
                said.asked.push((path, head, String::from_utf8(body).unwrap()));
                let (status, content) = answer.unwrap_or((404, Value::Null));
                let content = content.to_string();
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nLocation: /keys\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{content}",
                    content.len()
                );
            }
        });
        let issuer = Self { address, said, folder: tempfile::tempdir().unwrap() };
        issuer.answer("/.well-known/openid-configuration", 200, issuer.metadata());
        issuer.answer("/keys", 200, keys());
        issuer
    }

    pub fn answer(&self, path: &'static str, status: u16, content: Value) {
        self.said.lock().unwrap().answers.insert(path, (status, content));
    }

    /// How often this was asked for.
    pub fn asked(&self, path: &str) -> usize {
        self.said.lock().unwrap().asked.iter().filter(|(asked, ..)| asked == path).count()
    }

    pub fn metadata(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.address);
        json!({
            "issuer": self.address, "authorization_endpoint": at("/auth"), "token_endpoint": at("/token"), "jwks_uri": at("/keys"),
            "response_types_supported": ["code", "id_token"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "of the future"],
        })
    }

    /// The settings of a client of it.
    pub fn settings(&self) -> ProviderSettings {
        use std::os::unix::fs::PermissionsExt as _;
        let file = self.folder.path().join("secret");
        std::fs::write(&file, format!("{SECRET}\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        ProviderSettings {
            issuer: self.address.clone(),
            client: CLIENT.into(),
            secret_file: Some(file),
            secret_environment: None,
            secret_credential: None,
            scopes: vec!["profile".into()],
            name: "Hospital".into(),
            chinese_name: Some("醫院".into()),
            acr_values: Vec::new(),
            max_age: None,
            authority: None,
        }
    }

    pub fn provider(&self, settings: ProviderSettings) -> Provider {
        let mut all = Provider::all(super::super::Settings { provider: vec![settings] }).unwrap();
        all.pop().unwrap()
    }

    /// A provider that it has told of itself.
    pub fn known(&self) -> Provider {
        let provider = self.provider(self.settings());
        provider.discover().unwrap();
        provider
    }

    /// Claims that are right for a step.
    pub fn claims(&self, step: &Step) -> Value {
        json!({"iss": self.address, "sub": "staff-1", "aud": CLIENT, "exp": now() + 60, "iat": now(), "nonce": step.nonce})
    }

    /// Gives this token for the next code.
    pub fn give(&self, token: &str) {
        self.answer("/token", 200, json!({"access_token": "x", "token_type": "Bearer", "id_token": token}));
    }

    /// What comes of a whole sign-in with the token that `make` makes.
    pub fn sign_in(&self, provider: &Provider, make: impl FnOnce(&Step) -> String) -> Result<Subject, OpenIdError> {
        let (_, step) = provider.begin(BACK)?;
        self.give(&make(&step));
        provider.finish(BACK, &step, &answer(&step))
    }
}

/// The right answer to a step.
pub fn answer(step: &Step) -> Answer {
    Answer { code: "code".into(), state: step.state.clone(), issuer: None }
}

pub fn refused(outcome: Result<Subject, OpenIdError>) -> Option<&'static str> {
    match outcome {
        Err(OpenIdError::Refused { what }) => Some(what),
        _ => None,
    }
}
