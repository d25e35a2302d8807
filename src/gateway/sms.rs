//! SMS by a provider's HTTP interface.

use std::time::Duration;

use ureq::http::Uri;

use super::settings::is_here;
use super::template::Template;
use super::{GatewayError, Message, SmsSettings};

/// How long the whole exchange may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A provider.
pub struct Sms {
    agent: ureq::Agent,
    url: String,
    headers: Vec<(String, String)>,
    body: Template,
}

impl Sms {
    /// The provider of these settings.
    ///
    /// # Errors
    /// What of them is wrong.
    pub fn new(settings: SmsSettings) -> Result<Self, GatewayError> {
        let wrong = |field, what| GatewayError::Setting { field, what };
        let uri: Uri = settings.url.parse().map_err(|_| wrong("sms.url", "it is no address"))?;
        let here = uri.host().is_some_and(is_here);
        if !(uri.scheme_str() == Some("https") || here && uri.scheme_str() == Some("http")) {
            return Err(wrong("sms.url", "an https address is needed: messages hold codes"));
        }
        for (name, value) in &settings.headers {
            let fits =
                ureq::http::HeaderName::from_bytes(name.as_bytes()).is_ok() && ureq::http::HeaderValue::from_str(value).is_ok();
            if !fits || name.eq_ignore_ascii_case("content-type") {
                return Err(wrong("sms.headers", "one of them is no header, or is the content type, which `kind` decides"));
            }
        }
        let body = Template::parse(&settings.body, settings.kind)?;
        // A redirect would take the code to a host that nobody named; and a proxy of the environment neither.
        let config =
            ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).max_redirects(0).proxy(None).http_status_as_error(false);
        Ok(Self { agent: config.build().into(), url: settings.url, headers: settings.headers.into_iter().collect(), body })
    }

    /// Hands a message over.
    ///
    /// # Errors
    /// When the provider does not answer, or not with a status of success.
    pub fn send(&self, number: &str, message: &Message) -> Result<(), GatewayError> {
        let id = message.id.to_string();
        let mut request = self.agent.post(&self.url).header("Content-Type", self.body.kind().content_type());
        // Providers that know it drop the double of a request by this header.
        request = request.header("Idempotency-Key", &id);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let answer = request.send(self.body.fill(number, &message.text, &id)).map_err(|error| GatewayError::Unreachable {
            kind: "SMS",
            what: match error {
                ureq::Error::Timeout(_) => "it did not answer in time",
                ureq::Error::Tls(_) | ureq::Error::Rustls(_) => "its certificate was not accepted",
                ureq::Error::HostNotFound => "its name is not known",
                _ => "the connection failed",
            },
        })?;
        let code = answer.status().as_u16();
        if answer.status().is_success() {
            return Ok(());
        }
        // 401 and 403 are mended by whoever set the key wrong: the message waits for it.
        let forever = answer.status().is_client_error() && !matches!(code, 401 | 403 | 408 | 409 | 425 | 429);
        Err(GatewayError::Refused { kind: "SMS", code, forever })
    }
}
