//! The cookie of a session: only this server reads it, no script does, and no other site's page sends it.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::room::Token;

/// What the cookie is called, and whether it goes over TLS alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::server) struct CookieForm {
    name: String,
    secure: bool,
}

impl CookieForm {
    /// Behind TLS: a name with which browsers take it from this host alone, and never without TLS.
    pub fn over_tls() -> Self {
        Self { name: "__Host-cantoscribe".to_owned(), secure: true }
    }

    /// On a loopback address, where cookies of all ports are in one jar.
    pub fn of_port(port: u16) -> Self {
        Self { name: format!("cantoscribe-{port}"), secure: false }
    }

    /// The token of a request; nothing where it has none, or more than one.
    pub fn read(&self, headers: &HeaderMap) -> Option<Token> {
        let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|all| all.split(';'));
        let mut found = pairs.filter_map(|pair| pair.trim().split_once('=')).filter(|(name, _)| *name == self.name);
        match (found.next(), found.next()) {
            (Some((_, token)), None) => Some(Token::from_client(token.to_owned())),
            _ => None,
        }
    }

    /// What gives a browser the token.
    pub fn give(&self, token: &Token) -> Option<HeaderValue> {
        self.write(token.reveal(), "")
    }

    /// What takes it away.
    pub fn take_away(&self) -> Option<HeaderValue> {
        self.write("", "; Max-Age=0")
    }

    fn write(&self, value: &str, more: &str) -> Option<HeaderValue> {
        let secure = if self.secure { "; Secure" } else { "" };
        let cookie = format!("{}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{more}", self.name);
        HeaderValue::from_str(&cookie).ok().map(|mut value| {
            value.set_sensitive(true);
            value
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: &CookieForm, cookies: &[&str]) -> Option<String> {
        let headers = cookies.iter().map(|cookie| (header::COOKIE, cookie.parse().unwrap())).collect();
        form.read(&headers).map(|token| token.reveal().to_owned())
    }

    #[test]
    fn the_cookie_is_the_servers_alone_and_one() {
        let (tls, loopback) = (CookieForm::over_tls(), CookieForm::of_port(8080));
        let token = Token::from_client("abc".into());
        let given = tls.give(&token).unwrap();
        assert_eq!(given, "__Host-cantoscribe=abc; Path=/; HttpOnly; SameSite=Strict; Secure");
        assert!(!format!("{given:?}").contains("abc"));
        assert_eq!(loopback.take_away().unwrap(), "cantoscribe-8080=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
        assert_eq!(read(&loopback, &["a=b; cantoscribe-8080=abc", "cantoscribe-9090=x"]).as_deref(), Some("abc"));
        for none in [&[][..], &["a=b"], &["cantoscribe-8080"], &["cantoscribe-8080=a; cantoscribe-8080=b"]] {
            assert_eq!(read(&loopback, none), None, "{none:?}");
        }
    }
}
