//! What leaves the machine: messages to patients, by an HTTP gateway for SMS or a mail server, and the audit log as it grows, to a hospital's
//! webhook or syslog server; its heads go to witnesses.
//!
//! Invariant: what a message says and to whom is in no log, no error and no `Debug` print. A hand-over of which nobody knows whether it
//! happened is made again under the same id, so that the receiver can drop the double.
//!
//! Gateways block: whoever calls one has a thread for it.

mod address;
mod error;
mod feed;
pub(crate) mod http;
mod mail;
mod schedule;
mod settings;
mod sms;
mod syslog;
mod template;
mod webhook;
mod witness;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

pub use address::Address;
pub use error::GatewayError;
pub use feed::{Feed, LogEntry};
pub use mail::Mail;
pub use schedule::{next_try, next_try_of_wrong};
pub use settings::{Begin, MailSettings, Settings, SmsSettings, SyslogSettings, Tls, WebhookSettings, WitnessSettings};
pub(crate) use settings::{read_form, read_private};
pub use sms::Sms;
pub use syslog::Syslog;
pub use webhook::Webhook;
pub use witness::{Answer, Witness};

/// What a message is known by, to us and to the receiver: the same at each try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MessageId([u8; 16]);

impl MessageId {
    /// The id of these random bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

/// One message. Its `Debug` shows the id alone.
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Who gets it.
    pub to: Address,
    /// The subject of a mail; an SMS has none.
    pub subject: String,
    /// What it says. Wiped when dropped: it may hold a code.
    pub text: Zeroizing<String>,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The gateways of an installation.
pub struct Gateways {
    sms: Option<Sms>,
    mail: Option<Mail>,
    /// Whom the audit log is sent to.
    pub feeds: Vec<Feed>,
    /// Who cosigns its heads.
    pub witnesses: Vec<Witness>,
}

impl Gateways {
    /// The gateways that the settings describe. None of them is called yet.
    ///
    /// # Errors
    /// What of the settings is wrong, by its field.
    pub fn new(settings: Settings) -> Result<Self, GatewayError> {
        let sms = settings.sms.map(Sms::new).transpose()?;
        let mail = settings.mail.map(Mail::new).transpose()?;
        let mut feeds = Vec::new();
        if let Some(settings) = settings.webhook {
            feeds.push(Feed::Webhook(Webhook::new(settings)?));
        }
        if let Some(settings) = settings.syslog {
            feeds.push(Feed::Syslog(Box::new(Syslog::new(settings)?)));
        }
        Ok(Self { sms, mail, feeds, witnesses: Witness::all(settings.witness)? })
    }

    /// Whether any message to a patient has a way to go.
    #[must_use]
    pub fn reach_patients(&self) -> bool {
        self.sms.is_some() || self.mail.is_some()
    }

    /// Whether a message to this address has a way to go.
    #[must_use]
    pub fn reach(&self, to: &Address) -> bool {
        match to {
            Address::Phone(_) => self.sms.is_some(),
            Address::Mail(_) => self.mail.is_some(),
        }
    }

    /// Hands a message over. It is handed over when this returns `Ok`; after an error it may be.
    ///
    /// # Errors
    /// Why not: [`GatewayError::is_final`] says whether it makes sense to try again.
    pub fn hand_over(&self, message: &Message) -> Result<(), GatewayError> {
        match (&message.to, &self.sms, &self.mail) {
            (Address::Phone(number), Some(sms), _) => sms.send(number, message),
            (Address::Mail(mailbox), _, Some(mail)) => mail.send(mailbox, message),
            (Address::Phone(_), None, _) => Err(GatewayError::NoGateway { kind: "sms" }),
            (Address::Mail(_), _, None) => Err(GatewayError::NoGateway { kind: "mail" }),
        }
    }
}

#[cfg(test)]
mod tests;
