//! Mail by a hospital's own server.

use std::fs;
use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls as Encipher, TlsParameters};
use lettre::{SmtpTransport, Transport as _};

use super::settings::is_here;
use super::{GatewayError, MailSettings, Message, Tls};

/// How long each step of an exchange may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A mail server.
pub struct Mail {
    transport: SmtpTransport,
    from: Mailbox,
    /// The domain of message ids.
    domain: String,
}

impl Mail {
    /// The server of these settings.
    ///
    /// # Errors
    /// What of them is wrong.
    pub fn new(settings: MailSettings) -> Result<Self, GatewayError> {
        let wrong = |field, what| GatewayError::Setting { field, what };
        let from: Mailbox = settings.from.parse().map_err(|_| wrong("mail.from", "it is no mail address"))?;
        let mut parameters = TlsParameters::builder(settings.server.clone());
        if let Some(path) = &settings.authority {
            let pem = fs::read(path).map_err(|source| GatewayError::Read { path: path.clone(), source })?;
            let certificate = Certificate::from_pem(&pem).map_err(|_| wrong("mail.authority", "it is no certificate in PEM"))?;
            parameters = parameters.add_root_certificate(certificate);
        }
        let parameters = || parameters.build().map_err(|_| wrong("mail.server", "it is no name that a certificate can have"));
        let (port, encipher) = match settings.tls {
            Tls::Always => (465, Encipher::Wrapper(parameters()?)),
            Tls::Start => (587, Encipher::Required(parameters()?)),
            Tls::Never if is_here(&settings.server) => (25, Encipher::None),
            Tls::Never => return Err(wrong("mail.tls", "`never` is for a server on this machine: messages hold codes")),
        };
        let mut transport = SmtpTransport::builder_dangerous(&settings.server)
            .port(settings.port.unwrap_or(port))
            .tls(encipher)
            .timeout(Some(PATIENCE));
        match (settings.user, settings.password) {
            (Some(user), Some(password)) => transport = transport.credentials(Credentials::new(user, password)),
            (None, None) => {}
            _ => return Err(wrong("mail.user", "a user needs a password, and a password a user")),
        }
        let domain = from.email.domain().to_owned();
        Ok(Self { transport: transport.build(), from, domain })
    }

    /// Hands a message over.
    ///
    /// # Errors
    /// When the server cannot be reached, or does not take it.
    pub fn send(&self, mailbox: &str, message: &Message) -> Result<(), GatewayError> {
        let to = mailbox.parse().map_err(|_| GatewayError::Address { expected: "a mail address" })?;
        let mail = MessageBuilder::new()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .message_id(Some(format!("<{}@{}>", message.id, self.domain)))
            .subject(message.subject.clone())
            .header(ContentType::TEXT_PLAIN)
            .body(message.text.to_string())
            .map_err(|_| GatewayError::Address { expected: "a mail that can be written" })?;
        self.transport.send(&mail).map(drop).map_err(|error| match error.status() {
            Some(status) => {
                // The server's words may quote the address: only its number is kept.
                let code = u16::from(status);
                GatewayError::Refused { kind: "mail", code, wrong: error.is_permanent() }
            }
            None if error.is_timeout() => GatewayError::Unreachable { kind: "mail", what: "it did not answer in time" },
            None if error.is_tls() => GatewayError::Unreachable { kind: "mail", what: "the connection could not be enciphered" },
            None => GatewayError::Unreachable { kind: "mail", what: "the connection failed" },
        })
    }
}
