//! The link in the patient's first message, and the page that it opens.
//!
//! A link is good for 72 hours and opens one page once. Opening is a press of a button, not the loading of the page: messengers load
//! links to show what is behind them. Whoever has the link alone gets a page and no code.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::audit::{Refusal, UnixMillis};

/// How long a link is good, in milliseconds.
pub const LINK_LIFE: u64 = 72 * 3600 * 1000;

/// The secret in a link, or the one that the opened page holds. Its `Debug` shows nothing.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret(String);

impl Secret {
    /// The secret of these random bytes.
    #[must_use]
    pub fn of_random(random: [u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(random))
    }

    /// A secret as a browser sent it.
    #[must_use]
    pub fn from_client(text: String) -> Self {
        Self(text)
    }

    /// The secret itself, for the message or the page it belongs to.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A link as it is kept: neither secret can be read from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Link {
    link: [u8; 32],
    /// Of the page, once the link was opened.
    page: Option<[u8; 32]>,
    expires: UnixMillis,
}

impl Link {
    pub(super) fn new(link: &Secret, at: UnixMillis) -> Self {
        Self { link: link.hash(), page: None, expires: at.after(LINK_LIFE) }
    }

    /// When the link, and with it the request, runs out.
    pub(super) fn expires(&self) -> UnixMillis {
        self.expires
    }

    /// Opens the page, whose secret is `page`, once.
    pub(super) fn open(&mut self, link: &Secret, page: &Secret, at: UnixMillis) -> Result<(), Refusal> {
        if !same(&self.link, &link.hash()) {
            return Err(Refusal::NotSignedIn);
        }
        if at >= self.expires {
            return Err(Refusal::Expired);
        }
        if self.page.is_some() {
            return Err(Refusal::AlreadyUsed);
        }
        self.page = Some(page.hash());
        Ok(())
    }

    /// Whether this is the page that was opened.
    pub(super) fn is_page(&self, page: &Secret, at: UnixMillis) -> Result<(), Refusal> {
        if !self.page.is_some_and(|known| same(&known, &page.hash())) {
            return Err(Refusal::NotSignedIn);
        }
        if at < self.expires { Ok(()) } else { Err(Refusal::Expired) }
    }
}

fn same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.ct_eq(b).into()
}
