//! Where the server is.

use std::net::IpAddr;
use std::str::FromStr;

use tokio_tungstenite::tungstenite::http::Uri;

use super::ClientError;
use super::outbox::Terms;

/// A server's address, such as `http://127.0.0.1:8080`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// `host:port`
    authority: String,
    host: String,
}

impl FromStr for Address {
    type Err = ClientError;

    fn from_str(given: &str) -> Result<Self, ClientError> {
        let wrong = |reason| ClientError::Address { given: given.to_owned(), reason };
        let uri: Uri = given.parse().map_err(|_| wrong("write it as http://HOST:PORT"))?;
        match uri.scheme_str() {
            Some("http" | "ws") => {}
            Some("https" | "wss") => return Err(wrong("encrypted connections are not there yet")),
            _ => return Err(wrong("write it as http://HOST:PORT")),
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(wrong("it has a path: give host and port alone"));
        }
        let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("it has a user name: there is no sign-in yet"));
        }
        let authority = authority.as_str().to_lowercase();
        Ok(Self { authority, host: uri.host().unwrap_or_default().to_owned() })
    }
}

impl Address {
    /// `http://HOST:PORT`: the same server always has the same text.
    #[must_use]
    pub fn text(&self) -> String {
        format!("http://{}", self.authority)
    }

    /// Whether the sound stays on this machine. It is not encrypted on the way.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// The socket for a new recording.
    pub(super) fn listen(&self, terms: &Terms) -> String {
        let Terms { rate, channels, language, speakers, .. } = terms;
        let speakers = if speakers.is_empty() { String::new() } else { format!("&speakers={}", speakers.join(",")) };
        let authority = &self.authority;
        format!("ws://{authority}/v1/listen?rate={rate}&channels={channels}&format=pcm_s16le&language={language}{speakers}")
    }

    /// The socket for a recording that the server has begun.
    pub(super) fn resume(&self, recording: &str) -> String {
        format!("ws://{}/v1/listen?recording={recording}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(given: &str) -> Result<Address, String> {
        given.parse().map_err(|error: ClientError| error.to_string())
    }

    #[test]
    fn addresses_are_host_and_port() {
        for given in ["http://127.0.0.1:8080", "ws://127.0.0.1:8080/", "HTTP://127.0.0.1:8080"] {
            assert_eq!(address(given).unwrap().text(), "http://127.0.0.1:8080");
        }
        assert_eq!(address("http://Scribe.Ward7.example").unwrap().text(), "http://scribe.ward7.example");
    }

    #[test]
    fn what_is_no_address_says_why() {
        for (given, why) in [
            ("127.0.0.1:8080", "http://HOST:PORT"),
            ("https://scribe.example", "not there yet"),
            ("wss://scribe.example", "not there yet"),
            ("http://127.0.0.1:8080/v1/listen", "path"),
            ("http://doctor@127.0.0.1", "user name"),
            ("ftp://127.0.0.1", "http://HOST:PORT"),
            ("", "http://HOST:PORT"),
        ] {
            let error = address(given).unwrap_err();
            assert!(error.contains(why) && error.contains(given), "{given}: {error}");
        }
    }

    #[test]
    fn only_loopback_is_local() {
        for (given, local) in [
            ("http://localhost:1", true),
            ("http://127.3.2.1:1", true),
            ("http://[::1]:1", true),
            ("http://10.0.0.1:1", false),
            ("http://localhost.example:1", false),
        ] {
            assert_eq!(address(given).unwrap().is_local(), local, "{given}");
        }
    }

    #[test]
    fn a_recording_is_begun_and_resumed_by_url() {
        let address = address("http://127.0.0.1:8080").unwrap();
        let mut terms = Terms { rate: 48_000, channels: 2, language: "yue".into(), speakers: vec![] };
        let begun = "ws://127.0.0.1:8080/v1/listen?rate=48000&channels=2&format=pcm_s16le&language=yue";
        assert_eq!(address.listen(&terms), begun);
        terms.speakers = vec!["doctor".into(), "patient".into()];
        assert_eq!(address.listen(&terms), format!("{begun}&speakers=doctor,patient"));
        assert_eq!(address.resume("abc"), "ws://127.0.0.1:8080/v1/listen?recording=abc");
    }
}
