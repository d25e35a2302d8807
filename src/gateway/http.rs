//! What the gateways that speak HTTP, and providers of OpenID Connect, have in common.

use std::time::Duration;

use ureq::http::Uri;
use ureq::tls::{RootCerts, TlsConfig};

use super::GatewayError;
use super::settings::is_here;

/// How long the whole exchange may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Who asks. A redirect would take what is sent to a host that nobody named; and a proxy of the environment neither.
pub(crate) fn agent() -> ureq::Agent {
    agent_trusting(RootCerts::WebPki)
}

/// The same, which believes certificates of these authorities.
pub(crate) fn agent_trusting(authorities: RootCerts) -> ureq::Agent {
    let config =
        ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).max_redirects(0).proxy(None).http_status_as_error(false);
    config.tls_config(TlsConfig::builder().root_certs(authorities).build()).build().into()
}

/// Whether this address may be sent to: `https`, or `http` on this machine.
pub(crate) fn check(url: &str, field: &'static str, why: &'static str) -> Result<(), GatewayError> {
    let wrong = |what| GatewayError::Setting { field, what };
    let uri: Uri = url.parse().map_err(|_| wrong("it is no address"))?;
    let here = uri.host().is_some_and(is_here);
    if uri.scheme_str() == Some("https") || here && uri.scheme_str() == Some("http") { Ok(()) } else { Err(wrong(why)) }
}

/// Why no answer came, in words that hold nothing of what was sent.
pub(crate) fn why(error: &ureq::Error) -> &'static str {
    match error {
        ureq::Error::Timeout(_) => "it did not answer in time",
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => "its certificate was not accepted",
        ureq::Error::HostNotFound => "its name is not known",
        _ => "the connection failed",
    }
}

/// The same as an error of a gateway.
pub(super) fn unreachable(kind: &'static str, error: &ureq::Error) -> GatewayError {
    GatewayError::Unreachable { kind, what: why(error) }
}
