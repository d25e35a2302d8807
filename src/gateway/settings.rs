//! The file that describes the gateways.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::GatewayError;
use super::template::BodyKind;

/// The gateways of an installation, as a TOML file has them.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The provider of SMS.
    pub sms: Option<SmsSettings>,
    /// The mail server.
    pub mail: Option<MailSettings>,
    /// A program of the hospital's that gets each entry of the audit log.
    pub webhook: Option<WebhookSettings>,
    /// A syslog server that gets each entry of the audit log.
    pub syslog: Option<SyslogSettings>,
    /// Witnesses, who cosign the heads of the audit log.
    #[serde(default)]
    pub witness: Vec<WitnessSettings>,
}

/// A provider that takes an SMS by HTTP: any that has an address to which a request of some form is posted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmsSettings {
    /// Where to post. `https`, or `http` on this machine.
    pub url: String,
    /// Headers of the request: the provider's key, as a rule.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// What is posted, with `{{to}}`, `{{text}}` and `{{id}}` in their places.
    pub body: String,
    /// How the places are escaped, and the content type.
    #[serde(default)]
    pub kind: BodyKind,
}

/// A mail server.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailSettings {
    /// Its name, which its certificate has to have.
    pub server: String,
    /// Its port: 465 with `tls = "always"`, 587 with `tls = "start"` when not said.
    pub port: Option<u16>,
    /// How the connection is enciphered.
    #[serde(default)]
    pub tls: Tls,
    /// The account, where the server asks for one.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<String>,
    /// Whom the messages come from.
    pub from: String,
    /// A certificate (PEM) to trust besides the usual ones: a hospital's own authority.
    pub authority: Option<std::path::PathBuf>,
}

/// A receiver of the audit log by HTTP, signed as Standard Webhooks has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    /// Where to post. `https`, or `http` on this machine.
    pub url: String,
    /// What signs: `whsec_` and 24 to 64 bytes in Base64.
    pub secret: String,
    /// With which entry a receiver of this address begins.
    #[serde(default)]
    pub begin: Begin,
}

/// A receiver of the audit log by syslog over TLS (RFC 5425).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyslogSettings {
    /// Its name, which its certificate has to have, and its port after a colon: 6514 when not said.
    pub server: String,
    /// The certificates (PEM) that vouch for it: no other authority does.
    pub authority: std::path::PathBuf,
    /// Our own certificate with those that vouch for it (PEM), where the server asks for one.
    pub certificate: Option<std::path::PathBuf>,
    /// Its private key (PEM).
    pub key: Option<std::path::PathBuf>,
    /// What this machine is called there; its own name when not said.
    pub hostname: Option<String>,
    /// With which entry a receiver of this address begins.
    #[serde(default)]
    pub begin: Begin,
}

/// A witness of the audit log (<https://c2sp.org/tlog-witness>).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessSettings {
    /// Its public key, `NAME+HASH+BASE64`.
    pub key: String,
    /// Its submission prefix: what stands before `/add-checkpoint`. `https`, or `http` on this machine.
    pub url: String,
    /// Seconds between two submissions at least.
    #[serde(default = "usual_pace")]
    pub every: u64,
}

fn usual_pace() -> u64 {
    10
}

/// With which entry of the log a receiver begins that never got one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Begin {
    /// With the first that there is.
    #[default]
    Start,
    /// With the next one.
    Now,
}

/// How the connection to a mail server is enciphered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// From its first byte.
    #[default]
    Always,
    /// After `STARTTLS`; without it nothing is sent.
    Start,
    /// Not at all: to this machine only.
    Never,
}

impl Settings {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read, can be read by others, or is not of this form.
    pub fn read(path: &Path) -> Result<Self, GatewayError> {
        read_form(path)
    }
}

/// Reads a file of settings, which its owner alone may read.
///
/// # Errors
/// When it cannot be read, can be read by others, or is no TOML of this form.
pub(crate) fn read_form<T: DeserializeOwned>(path: &Path) -> Result<T, GatewayError> {
    let text = read_private(path)?;
    toml::from_str(&text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let line = 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        GatewayError::Form { path: path.to_owned(), line, what: what(error.message()) }
    })
}

/// Reads a text file, which its owner alone may read.
///
/// # Errors
/// When it cannot be read, or can be read by others.
pub(crate) fn read_private(path: &Path) -> Result<Zeroizing<String>, GatewayError> {
    let failed = |source| GatewayError::Read { path: path.to_owned(), source };
    let text = fs::read_to_string(path).map(Zeroizing::new).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if fs::metadata(path).map_err(failed)?.permissions().mode() & 0o077 != 0 {
            return Err(GatewayError::Exposed { path: path.to_owned() });
        }
    }
    Ok(text)
}

/// What is wrong, by the parser's message: of an unknown or missing field its name. Any other message may quote a value, which may be
/// a password.
fn what(message: &str) -> String {
    let field = ["unknown field `", "missing field `"]
        .iter()
        .find_map(|start| message.strip_prefix(start)?.split_once('`').map(|(name, _)| format!("{start}{name}`")));
    field.unwrap_or_else(|| "not of the form that is asked for".to_owned())
}

/// Whether a host of an address is this machine.
pub(super) fn is_here(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
