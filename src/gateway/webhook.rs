//! The audit log to a program of the hospital's: each entry as a FHIR AuditEvent, signed as Standard Webhooks has it
//! (<https://www.standardwebhooks.com>, symmetric signatures).

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{Begin, GatewayError, LogEntry, WebhookSettings, http};
use crate::interop::fhir;

/// What a secret begins with when it is written down.
const SECRET: &str = "whsec_";
/// Bytes of a secret.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A receiver.
pub struct Webhook {
    agent: ureq::Agent,
    url: String,
    secret: Zeroizing<Vec<u8>>,
    begin: Begin,
}

impl Webhook {
    /// The receiver of these settings.
    ///
    /// # Errors
    /// What of them is wrong.
    pub fn new(settings: WebhookSettings) -> Result<Self, GatewayError> {
        http::check(&settings.url, "webhook.url", "an https address is needed: entries name people by their ids")?;
        let secret = settings.secret.strip_prefix(SECRET).and_then(|secret| STANDARD.decode(secret).ok());
        let secret = secret.filter(|secret| SECRET_BYTES.contains(&secret.len())).map(Zeroizing::new);
        let what = "`whsec_` and 24 to 64 bytes in Base64 are needed";
        let secret = secret.ok_or(GatewayError::Setting { field: "webhook.secret", what })?;
        Ok(Self { agent: http::agent(), url: settings.url, secret, begin: settings.begin })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn begin(&self) -> Begin {
        self.begin
    }

    /// Hands one entry over. Its id is that of the FHIR resource: the same at each try.
    ///
    /// # Errors
    /// When the receiver does not answer, or not with a status of success.
    pub fn send(&self, origin: &str, entry: &LogEntry) -> Result<(), GatewayError> {
        let unwritable = || GatewayError::Entry { kind: "webhook", entry: entry.number };
        let resource = fhir::audit_event(&entry.event, entry.number, origin).map_err(|_| unwritable())?;
        let id = resource.get("id").and_then(|id| id.as_str()).ok_or_else(unwritable)?;
        let timestamp = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let body = resource.to_string();
        let request = self
            .agent
            .post(&self.url)
            .header("Content-Type", "application/fhir+json")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp.to_string())
            .header("webhook-signature", self.signature(id, timestamp, &body).ok_or_else(unwritable)?);
        let answer = request.send(&body).map_err(|error| http::unreachable("webhook", &error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        // The log has no gaps, so no answer makes us leave an entry out: somebody has to mend the receiver.
        Err(GatewayError::Refused { kind: "webhook", code: status.as_u16(), wrong: false })
    }

    fn signature(&self, id: &str, timestamp: u64, body: &str) -> Option<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).ok()?;
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body.as_bytes());
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook(url: &str, secret: &str) -> Result<Webhook, GatewayError> {
        Webhook::new(WebhookSettings { url: url.to_owned(), secret: secret.to_owned(), begin: Begin::Start })
    }

    /// What the PyPI package `standardwebhooks` 1.1.0 signs; `scripts/check-gateways` lets it verify ours.
    #[test]
    fn a_signature_is_what_the_standard_says() {
        let webhook = webhook("https://log.example/", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = webhook.signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn settings_that_do_not_fit_are_named() {
        let good = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        assert!(webhook("http://localhost:1/", good).is_ok());
        for (url, secret, field) in [
            ("http://log.example/", good, "webhook.url"),
            ("nonsense", good, "webhook.url"),
            ("https://log.example/", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "webhook.secret"),
            ("https://log.example/", "whsec_c2hvcnQ=", "webhook.secret"),
        ] {
            let error = webhook(url, secret).err().unwrap();
            assert!(matches!(error, GatewayError::Setting { field: named, .. } if named == field), "{url}: {error}");
            assert!(!format!("{error}{error:?}").contains(secret));
        }
    }
}
