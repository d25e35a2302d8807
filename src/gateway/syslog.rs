//! The audit log to a syslog server: RFC 5424 messages over TLS (RFC 5425).
//!
//! Syslog has no word for "taken". So each batch has a connection of its own, which we close first, and it counts as taken when the server
//! closes in answer: it has then read to our end. (What only hands TLS on, and closes when the server behind it dies, would look the same: none
//! may stand between.) A message may come twice; its entry's number and text tell.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::{Begin, GatewayError, LogEntry, SyslogSettings};
use crate::audit::Outcome;
use crate::interop::fhir::Instant;

/// How long each step of an exchange may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The port of syslog over TLS (RFC 5425 section 4.1).
const PORT: u16 = 6514;
/// The facility of security and authorisation messages (RFC 5424 table 1), not shown to everybody.
const FACILITY: u8 = 10;
/// Severities (RFC 5424 table 2).
const ERROR: u8 = 3;
const WARNING: u8 = 4;
const NOTICE: u8 = 5;
/// The largest value of a `sequenceId` (RFC 5424 section 7.3.1).
const SEQUENCE: u64 = 2_147_483_647;

/// A receiver.
pub struct Syslog {
    config: Arc<ClientConfig>,
    /// As it was given.
    server: String,
    name: ServerName<'static>,
    address: (String, u16),
    hostname: String,
    begin: Begin,
}

impl Syslog {
    /// The receiver of these settings.
    ///
    /// # Errors
    /// What of them is wrong, or which file cannot be read.
    pub fn new(settings: SyslogSettings) -> Result<Self, GatewayError> {
        let wrong = |field, what| GatewayError::Setting { field, what };
        let (host, port) = match settings.server.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => {
                (host, port.parse().map_err(|_| wrong("syslog.server", "after its colon comes a port"))?)
            }
            _ => (settings.server.as_str(), PORT),
        };
        let host = host.trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(host.clone())
            .map_err(|_| wrong("syslog.server", "it is no name that a certificate can have"))?;
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&settings.authority, "syslog.authority")? {
            roots.add(certificate).map_err(|_| wrong("syslog.authority", "a certificate in it cannot vouch for others"))?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|_| wrong("syslog.server", "TLS cannot be set up"))?.with_root_certificates(roots);
        let config = match (&settings.certificate, &settings.key) {
            (None, None) => config.with_no_client_auth(),
            (Some(chain), Some(key)) => {
                let chain = certificates(chain, "syslog.certificate")?;
                let pem = read(key)?;
                let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| wrong("syslog.key", "it is no private key in PEM"))?;
                config.with_client_auth_cert(chain, key).map_err(|_| wrong("syslog.key", "it is not the certificate's"))?
            }
            _ => return Err(wrong("syslog.certificate", "a certificate needs a key, and a key a certificate")),
        };
        let hostname = settings.hostname.unwrap_or_else(own_name);
        // RFC 5424 section 6.2.4: printable ASCII without spaces.
        if hostname.is_empty() || hostname.len() > 255 || !hostname.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong("syslog.hostname", "1 to 255 characters of printable ASCII are needed"));
        }
        let begin = settings.begin;
        Ok(Self { config: Arc::new(config), server: settings.server, name, address: (host, port), hostname, begin })
    }

    pub(super) fn server(&self) -> &str {
        &self.server
    }

    pub(super) fn begin(&self) -> Begin {
        self.begin
    }

    /// Hands these entries over, all or, as far as is known, none.
    ///
    /// # Errors
    /// When the server cannot be reached, is not who it should be, or does not close in answer.
    pub fn send(&self, origin: &str, entries: &[LogEntry]) -> Result<(), GatewayError> {
        let mut frames = Vec::new();
        for entry in entries {
            let message = self.message(origin, entry).ok_or(GatewayError::Entry { kind: "syslog", entry: entry.number })?;
            // RFC 5425 section 4.3: how many bytes, a space, and these.
            frames.extend_from_slice(format!("{} ", message.len()).as_bytes());
            frames.extend_from_slice(message.as_bytes());
        }
        self.exchange(&frames).map_err(|error| {
            let what = match error.kind() {
                io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => "it did not answer in time",
                io::ErrorKind::InvalidData => "the connection could not be enciphered, or it is not who it should be",
                _ => "the connection failed",
            };
            GatewayError::Unreachable { kind: "syslog", what }
        })
    }

    fn exchange(&self, frames: &[u8]) -> io::Result<()> {
        let (host, port) = &self.address;
        let mut failed = io::Error::from(io::ErrorKind::NotFound);
        let mut connected = None;
        for address in (host.as_str(), *port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(socket) => {
                    connected = Some(socket);
                    break;
                }
                Err(error) => failed = error,
            }
        }
        let socket = connected.ok_or(failed)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        let connection = ClientConnection::new(Arc::clone(&self.config), self.name.clone()).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, socket);
        stream.write_all(frames)?;
        stream.conn.send_close_notify();
        stream.flush()?;
        stream.sock.shutdown(Shutdown::Write)?;
        let mut said = [0; 256];
        loop {
            match stream.read(&mut said) {
                Ok(0) => return Ok(()),
                // The server says nothing that we need.
                Ok(_) => {}
                // Closed without TLS's own word for it: it has seen our end all the same.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// One message (RFC 5424 section 6): what was done is its `MSGID`, and the log's own entry its text.
    fn message(&self, origin: &str, entry: &LogEntry) -> Option<String> {
        let severity = match entry.event.outcome {
            Outcome::Done => NOTICE,
            Outcome::Refused { .. } => WARNING,
            Outcome::Failed => ERROR,
        };
        let action = match serde_json::to_value(entry.event.action).ok()? {
            serde_json::Value::Object(fields) => fields.into_iter().next()?.0,
            name => name.as_str()?.to_owned(),
        };
        let (priority, at) = (FACILITY * 8 + severity, Instant::from_unix_millis(entry.event.at.0));
        let (hostname, process, sequence) = (&self.hostname, std::process::id(), entry.number % SEQUENCE + 1);
        let head =
            format!("<{priority}>1 {} {hostname} cantoscribe {process} {action} [meta sequenceId=\"{sequence}\"]", at.as_str());
        let origin = serde_json::to_string(origin).ok()?;
        let event = std::str::from_utf8(&entry.bytes).ok()?;
        // The mark says that the text is UTF-8 (section 6.4).
        Some(format!("{head} \u{feff}{{\"log\":{origin},\"entry\":{},\"written\":{event}}}", entry.number))
    }
}

/// What Linux says this machine is called; elsewhere RFC 5424's word for not knowing.
fn own_name() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname").map_or_else(|_| "-".to_owned(), |name| name.trim().to_owned())
}

fn read(path: &Path) -> Result<zeroize::Zeroizing<Vec<u8>>, GatewayError> {
    fs::read(path).map(zeroize::Zeroizing::new).map_err(|source| GatewayError::Read { path: path.to_owned(), source })
}

fn certificates(path: &Path, field: &'static str) -> Result<Vec<CertificateDer<'static>>, GatewayError> {
    let pem = read(path)?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok).collect();
    if found.is_empty() { Err(GatewayError::Setting { field, what: "it holds no certificate in PEM" }) } else { Ok(found) }
}
