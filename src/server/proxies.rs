//! Which proxies are believed when they say for whom they ask: else the address in the audit log is the proxy's.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use ipnet::IpNet;

/// A proxy's address, or the network that proxies are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(IpNet);

impl FromStr for Network {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let alone = text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
        let network =
            alone.or_else(|_| text.parse()).map_err(|_| "neither an address nor a network like 10.0.0.0/8 or fd00::/8")?;
        if network.prefix_len() == 0 { Err("everybody would be believed") } else { Ok(Self(network)) }
    }
}

/// The proxies that are believed.
#[derive(Debug, Clone, Default)]
pub(super) struct Proxies(Arc<[Network]>);

impl Proxies {
    pub(super) fn of(networks: &[Network]) -> Self {
        Self(networks.into())
    }

    pub(super) fn know(&self, address: IpAddr) -> bool {
        self.0.iter().any(|Network(network)| network.contains(&address.to_canonical()))
    }

    /// For whom the peer asks: the last address of `X-Forwarded-For` that is no proxy of ours, since each proxy writes the one before it
    /// at the end, and whoever comes first may have written anything. A peer that is no proxy asks for itself.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let values: Vec<&[u8]> =
            headers.get_all(HeaderName::from_static("x-forwarded-for")).iter().map(HeaderValue::as_bytes).collect();
        for named in values.iter().rev().flat_map(|value| value.rsplit(|byte| *byte == b',')) {
            if !self.know(client) {
                break;
            }
            // What is no address stands for nobody, and nobody before it is believed.
            let address = str::from_utf8(named).ok().and_then(|named| named.trim().parse::<IpAddr>().ok());
            let Some(address) = address else { break };
            client = address.to_canonical();
        }
        client
    }
}

/// Puts the client's address in the place of the proxy's.
pub(super) async fn believe(State(proxies): State<Proxies>, mut request: Request, next: Next) -> Response {
    if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>().copied() {
        let client = proxies.client(peer.ip(), request.headers());
        if client != peer.ip().to_canonical() {
            request.extensions_mut().insert(ConnectInfo(SocketAddr::new(client, 0)));
        }
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_proxies_are_believed_and_only_about_who_came_to_them() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let proxies = Proxies::of(&["10.0.0.1", "10.0.0.2"].map(|network| network.parse().unwrap()));
        let client = |peer: &str, values: &[&str]| {
            let name = || HeaderName::from_static("x-forwarded-for");
            let value = |value: &str| HeaderValue::from_bytes(&value.chars().map(|c| c as u8).collect::<Vec<_>>()).unwrap();
            proxies.client(address(peer), &values.iter().map(|given| (name(), value(given))).collect()).to_string()
        };
        for (peer, values, expected) in [
            ("192.0.2.9", &["198.51.100.1"][..], "192.0.2.9"),
            ("10.0.0.1", &[][..], "10.0.0.1"),
            ("10.0.0.1", &["192.0.2.9"][..], "192.0.2.9"),
            ("::ffff:10.0.0.1", &["192.0.2.9"][..], "192.0.2.9"),
            ("10.0.0.1", &["203.0.113.7, 192.0.2.9"][..], "192.0.2.9"),
            ("10.0.0.1", &["203.0.113.7, 192.0.2.9, 10.0.0.2"][..], "192.0.2.9"),
            ("10.0.0.1", &["203.0.113.7", "192.0.2.9, 10.0.0.2"][..], "192.0.2.9"),
            ("10.0.0.1", &["192.0.2.9, somebody"][..], "10.0.0.1"),
            ("10.0.0.1", &["10.0.0.2"][..], "10.0.0.2"),
            ("10.0.0.1", &["\u{ff}, 192.0.2.9"][..], "192.0.2.9"),
        ] {
            assert_eq!(client(peer, values), expected, "{peer} {values:?}");
        }
    }
    #[test]
    fn a_proxy_is_an_address_or_a_network() {
        let proxies = Proxies::of(&["10.0.0.0/8", "fd00::/8", "192.0.2.7"].map(|network| network.parse().unwrap()));
        for (address, known) in [
            ("10.255.0.1", true),
            ("::ffff:10.1.2.3", true),
            ("11.0.0.1", false),
            ("fdff::1", true),
            ("fe00::1", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
        ] {
            assert_eq!(proxies.know(address.parse().unwrap()), known, "{address}");
        }
        for wrong in ["", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "0.0.0.0/0", "::/0", "proxy.example", "fd00::/8 "] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}
