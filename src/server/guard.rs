//! Which requests are answered at all: those of a page that this server served, or of a program that is no page.
//!
//! A foreign page can send requests to a loopback address, and by DNS rebinding even under a name of its own. The browser tells
//! both: the name in `Host`, the page in `Origin` and `Sec-Fetch-Site`. None of these can be set by a page's script.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::drain::drain;
use super::error::ApiError;

/// The names under which this server is served, and how a page of each begins.
#[derive(Debug, Clone)]
pub(super) struct Hosts(Arc<[(String, &'static str)]>);

impl Hosts {
    /// Those of a socket on this address: the address itself, and the loopback names where it is one.
    pub fn of(address: SocketAddr) -> Self {
        let port = address.port();
        let mut hosts = vec![address.to_string()];
        if address.ip().is_loopback() {
            hosts.extend([format!("localhost:{port}"), format!("127.0.0.1:{port}"), format!("[::1]:{port}")]);
        }
        if port == 80 {
            hosts.extend(hosts.clone().iter().filter_map(|host| host.strip_suffix(":80").map(str::to_owned)));
        }
        Self(hosts.into_iter().map(|host| (host, "http://")).collect())
    }

    /// This one alone, over TLS.
    pub fn over_tls(host: &str) -> Self {
        Self([(host.to_owned(), "https://")].into())
    }

    /// And this one, before which somebody makes TLS.
    pub fn and_public(self, host: &str) -> Self {
        Self(self.0.iter().cloned().chain([(host.to_owned(), "https://")]).collect())
    }

    /// How pages of this host begin, if it is one of ours.
    fn scheme(&self, host: &str) -> Option<&'static str> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(host)).map(|(_, scheme)| *scheme)
    }

    /// Whether a request with this method, path and headers may be answered.
    pub fn admit(&self, method: &Method, path: &str, headers: &HeaderMap) -> bool {
        let Ok(host) = only(headers, &header::HOST) else { return false };
        let Some((host, scheme)) = host.and_then(|host| Some((host, self.scheme(host)?))) else { return false };
        let Ok(origin) = only(headers, &header::ORIGIN) else { return false };
        if let Some(origin) = origin {
            return origin.strip_prefix(scheme).is_some_and(|origin| origin.eq_ignore_ascii_case(host));
        }
        let Ok(site) = only(headers, &HeaderName::from_static("sec-fetch-site")) else { return false };
        match site {
            None | Some("same-origin" | "none") => true,
            // A link in a message that is read in a browser, or on another page, may lead to our pages, and to nothing behind them.
            Some(_) => *method == Method::GET && is_page(path) && follows_a_link(headers),
        }
    }
}

/// Whether people come to this address by links: our own pages, and the patients'.
fn is_page(path: &str) -> bool {
    matches!(path, "/" | "/accounts" | "/sharing" | "/mine") || path.starts_with("/d/") || path.starts_with("/m/")
}

/// Whether a browser goes there as a whole, and loads it into no page of its own.
fn follows_a_link(headers: &HeaderMap) -> bool {
    let is = |name, value| only(headers, &HeaderName::from_static(name)) == Ok(Some(value));
    is("sec-fetch-mode", "navigate") && is("sec-fetch-dest", "document")
}

/// The value of a header that may be there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
        _ => Err(()),
    }
}

/// Answers 403 to what may not be answered, before anything else sees it.
pub(super) async fn check(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    if hosts.admit(request.method(), request.uri().path(), request.headers()) {
        next.run(request).await
    } else {
        let (head, body) = request.into_parts();
        drain(&mut body.into_data_stream(), &head.headers).await;
        ApiError::Foreign.into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(pairs: &[(&str, &str)]) -> bool {
        admit_at("/v1/listen", pairs)
    }

    fn admit_at(path: &str, pairs: &[(&str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        Hosts::of("127.0.0.1:8080".parse().unwrap()).admit(&Method::GET, path, &headers)
    }

    #[test]
    fn our_own_page_and_programs_are_answered() {
        assert!(admit(&[("host", "127.0.0.1:8080")]));
        assert!(admit(&[("host", "LocalHost:8080"), ("origin", "http://localhost:8080")]));
        assert!(admit(&[("host", "127.0.0.1:8080"), ("sec-fetch-site", "same-origin")]));
        assert!(admit(&[("host", "127.0.0.1:8080"), ("sec-fetch-site", "none")]));
    }

    #[test]
    fn a_link_in_a_message_leads_to_every_page_and_to_nothing_behind_it() {
        let host = ("host", "127.0.0.1:8080");
        let link = [host, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
        // What messages and invitations name, and what our own pages are.
        for page in ["/", "/accounts", "/sharing", "/mine", "/m/way/secret", "/m/way", "/d/consent/secret", "/d/consent"] {
            assert!(admit_at(page, &link), "{page}");
            for (at, value) in [(2, "no-cors"), (2, "cors"), (3, "iframe"), (3, "empty"), (3, "image")] {
                let mut other = link;
                other[at].1 = value;
                assert!(!admit_at(page, &other), "{page} {value}");
            }
            assert!(!admit_at(page, &link[..2]), "{page} by what does not say how");
            let headers: HeaderMap =
                link.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect();
            let hosts = Hosts::of("127.0.0.1:8080".parse().unwrap());
            assert!(!hosts.admit(&Method::POST, page, &headers), "a form of another page to {page}");
        }
        for behind in ["/v1/listen", "/v1/patients", "/metrics", "/assets/app.js", "/minefield", "/v1/views/x/page"] {
            assert!(!admit_at(behind, &link), "{behind}");
        }
    }

    #[test]
    fn a_public_name_is_served_over_tls_alone() {
        let hosts = Hosts::of("127.0.0.1:8080".parse().unwrap()).and_public("clinic.example");
        for (method, pairs, admitted) in [
            (Method::POST, &[("host", "clinic.example"), ("origin", "https://clinic.example")][..], true),
            (Method::POST, &[("host", "clinic.example"), ("origin", "http://clinic.example")], false),
            (Method::DELETE, &[("host", "clinic.example"), ("origin", "https://evil.example")], false),
            (Method::PUT, &[("host", "clinic.example"), ("sec-fetch-site", "cross-site")], false),
            (Method::POST, &[("host", "127.0.0.1:8080"), ("origin", "http://127.0.0.1:8080")], true),
            (Method::POST, &[("host", "other.example"), ("origin", "https://other.example")], false),
        ] {
            let headers = pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect();
            assert_eq!(hosts.admit(&method, "/v1/patients", &headers), admitted, "{method} {pairs:?}");
        }
    }

    #[test]
    fn a_program_may_send_a_recording_and_a_foreign_page_may_not() {
        let upload = |pairs: &[(&'static str, &'static str)]| {
            let headers = pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect();
            let hosts = Hosts::of("127.0.0.1:8080".parse().unwrap());
            hosts.admit(&Method::POST, "/v1/audio/transcriptions", &headers)
        };
        let host = ("host", "127.0.0.1:8080");
        assert!(upload(&[host]));
        assert!(!upload(&[host, ("origin", "http://evil.example")]));
        assert!(!upload(&[host, ("sec-fetch-site", "cross-site")]));
        assert!(!upload(&[("host", "evil.example:8080")]));
    }

    #[test]
    fn foreign_pages_names_and_ports_are_not() {
        for pairs in [
            &[][..],
            &[("host", "evil.example:8080")],
            &[("host", "127.0.0.1")],
            &[("host", "127.0.0.1:9090")],
            &[("host", "127.0.0.1:8080"), ("host", "127.0.0.1:8080")],
            &[("host", "127.0.0.1:8080"), ("origin", "http://evil.example")],
            &[("host", "127.0.0.1:8080"), ("origin", "http://127.0.0.1:9090")],
            &[("host", "127.0.0.1:8080"), ("origin", "http://localhost:8080")],
            &[("host", "127.0.0.1:8080"), ("origin", "https://127.0.0.1:8080")],
            &[("host", "127.0.0.1:8080"), ("origin", "null")],
            &[("host", "evil.example:8080"), ("origin", "http://evil.example:8080")],
            &[("host", "127.0.0.1:8080"), ("sec-fetch-site", "cross-site")],
            &[("host", "127.0.0.1:8080"), ("sec-fetch-site", "same-site")],
        ] {
            assert!(!admit(pairs), "{pairs:?}");
        }
    }
}
