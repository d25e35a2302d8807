//! SMS by a provider's HTTP interface.

use super::template::Template;
use super::{GatewayError, Message, SmsSettings, http};

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
        http::check(&settings.url, "sms.url", "an https address is needed: messages hold codes")?;
        for (name, value) in &settings.headers {
            let fits =
                ureq::http::HeaderName::from_bytes(name.as_bytes()).is_ok() && ureq::http::HeaderValue::from_str(value).is_ok();
            if !fits || name.eq_ignore_ascii_case("content-type") {
                return Err(wrong("sms.headers", "one of them is no header, or is the content type, which `kind` decides"));
            }
        }
        let body = Template::parse(&settings.body, settings.kind)?;
        Ok(Self { agent: http::agent(), url: settings.url, headers: settings.headers.into_iter().collect(), body })
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
        let answer =
            request.send(self.body.fill(number, &message.text, &id)).map_err(|error| http::unreachable("SMS", &error))?;
        let code = answer.status().as_u16();
        if answer.status().is_success() {
            return Ok(());
        }
        // 401 and 403 are about the key and not about what was sent.
        let wrong = answer.status().is_client_error() && !matches!(code, 401 | 403 | 408 | 409 | 425 | 429);
        Err(GatewayError::Refused { kind: "SMS", code, wrong })
    }
}
