//! Whom the audit log is sent to, entry by entry, in order.
//!
//! At least once: what a receiver did not say it has is sent again, under the same id. The receiver drops doubles by it.

use sha2::{Digest as _, Sha256};

use super::{Begin, GatewayError, Syslog, Webhook};
use crate::audit::Event;

/// An entry of the log.
#[derive(Debug, Clone)]
pub struct LogEntry {
    /// Its number, from 0.
    pub number: u64,
    /// Its bytes in the log.
    pub bytes: Vec<u8>,
    /// The event that they are.
    pub event: Event,
}

/// A receiver.
pub enum Feed {
    /// By HTTP.
    Webhook(Webhook),
    /// By syslog.
    Syslog(Box<Syslog>),
}

impl Feed {
    /// `webhook` or `syslog`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Syslog(_) => "syslog",
        }
    }

    /// What this receiver is known by over restarts: another address is another receiver. The address itself may hold a secret.
    #[must_use]
    pub fn name(&self) -> String {
        let address = match self {
            Self::Webhook(webhook) => webhook.url(),
            Self::Syslog(syslog) => syslog.server(),
        };
        let hash = Sha256::new_with_prefix("cantoscribe feed\n").chain_update(address).finalize();
        let short: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{short}", self.kind())
    }

    /// With which entry it begins.
    #[must_use]
    pub fn begin(&self) -> Begin {
        match self {
            Self::Webhook(webhook) => webhook.begin(),
            Self::Syslog(syslog) => syslog.begin(),
        }
    }

    /// Hands these entries of the log of this origin over, in order. Says how many of them were taken, and why not the next one.
    pub fn hand_over(&self, origin: &str, entries: &[LogEntry]) -> (usize, Option<GatewayError>) {
        match self {
            Self::Webhook(webhook) => {
                for (taken, entry) in entries.iter().enumerate() {
                    if let Err(error) = webhook.send(origin, entry) {
                        return (taken, Some(error));
                    }
                }
                (entries.len(), None)
            }
            Self::Syslog(syslog) => match syslog.send(origin, entries) {
                Ok(()) => (entries.len(), None),
                Err(error) => (0, Some(error)),
            },
        }
    }
}
