//! Who may come in, how long they stay, and what they may do: sessions, devices, passkeys' ceremonies, issuers of OpenID Connect, and the rules of roles.
//!
//! Invariant: outside a trial nobody does anything without an open session of a role that is held, or a device's token; what ends one
//! ends it for open sockets too.

mod carried;
mod ceremony;
mod cookie;
mod openid;
mod renewal;
mod strangers;
mod throttle;
mod waiting;

use std::time::Duration;

use tokio::sync::watch;

pub(super) use carried::Carried;
pub(super) use ceremony::Ceremonies;
pub(super) use cookie::CookieForm;
pub(super) use openid::Providers;
pub(super) use renewal::{Renewal, renew};
pub(super) use strangers::Strangers;
pub(super) use throttle::Throttle;
pub(super) use waiting::Waiting;

use super::caller::Pass;
use super::clock::now;
use super::error::ServerError;
use crate::identity::Rights;
use crate::openid::Provider;
use crate::store::{Store, StoreError};

/// Seconds until a session that is not used ends.
pub(super) const IDLE: i64 = 30 * 60;
/// Seconds until a session ends, used or not.
pub(super) const LONGEST: i64 = 12 * 3600;
/// Seconds between two notes that a session is used.
pub(super) const SEEN: i64 = 60;

/// How this server lets people in.
pub(super) struct Gate {
    /// What roles may do.
    pub rights: Rights,
    /// Nothing in a trial, which has no sign-in.
    pub sign_in: Option<SignIn>,
    /// Tries.
    pub throttle: Throttle,
    changed: watch::Sender<()>,
}

/// What sign-in needs.
pub(super) struct SignIn {
    /// Ceremonies with passkeys.
    pub ceremonies: Ceremonies,
    /// Issuers of OpenID Connect.
    pub providers: Providers,
    /// The session's cookie.
    pub cookie: CookieForm,
    /// Sign-ins that were begun.
    pub carried: Carried,
    /// Registrations of passkeys, and of sign-ins at issuers, that were begun: by who has a token, or is signed in.
    pub begun: Waiting<super::accounts::Begun>,
    /// People who have yet to say in which role they come.
    pub identified: Waiting<super::accounts::Identity>,
    /// Where the pages are, for links.
    pub origin: String,
}

impl Gate {
    /// Lets everybody in as the trial's clinician.
    ///
    /// # Errors
    /// When the rules of roles are none.
    pub fn trial() -> Result<Self, ServerError> {
        Ok(Self { rights: Rights::shipped()?, sign_in: None, throttle: Throttle::new(), changed: watch::Sender::new(()) })
    }

    /// Asks for a passkey, or for a sign-in at one of these issuers, of pages at this address.
    ///
    /// # Errors
    /// As [`Self::trial`]; and an address that passkeys cannot be for.
    pub fn with_sign_in(origin: &str, cookie: CookieForm, providers: Vec<Provider>) -> Result<Self, ServerError> {
        let (carried, begun, identified) = (Carried::new()?, Waiting::new(), Waiting::new());
        let (ceremonies, origin) = (Ceremonies::new(origin)?, origin.trim_end_matches('/').to_owned());
        let providers = Providers::new(providers, &origin);
        let sign_in = SignIn { ceremonies, providers, cookie, carried, begun, identified, origin };
        Ok(Self { sign_in: Some(sign_in), ..Self::trial()? })
    }

    /// Says that sessions, roles or devices were ended: whoever is in looks again.
    pub fn changed(&self) {
        self.changed.send_replace(());
    }

    /// Completes when this pass is worth nothing any more, within a second of its end. While somebody waits for it, it is in use.
    pub async fn over(&self, store: &Store, pass: &Pass) {
        let mut changed = self.changed.subscribe();
        loop {
            changed.borrow_and_update();
            let left = match still_good(store, pass).await {
                Ok(Some(left)) => left,
                Ok(None) => return,
                Err(error) => {
                    tracing::error!(%error, "whether somebody may stay cannot be looked up: they may not");
                    return;
                }
            };
            tokio::select! {
                _ = changed.changed() => {}
                () = tokio::time::sleep(left) => {}
            }
        }
    }
}

/// How long to wait before looking again; nothing when the pass is good no more.
///
/// # Errors
/// When it cannot be looked up.
pub(super) async fn still_good(store: &Store, pass: &Pass) -> Result<Option<Duration>, StoreError> {
    let at = now().unix_seconds();
    let ends = match pass {
        Pass::Trial => return Ok(Some(Duration::from_secs(3600))),
        Pass::Session(id) => {
            let Some(session) = store.session(id).await?.filter(|session| session.role.is_held(at)) else { return Ok(None) };
            store.saw_session(id, at).await?;
            session.ends_at.min(session.role.ends_at.unwrap_or(i64::MAX))
        }
        Pass::Device(id) => match store.device(*id, at).await? {
            Some(device) => device.ends_at,
            None => return Ok(None),
        },
    };
    let left = u64::try_from(ends - at).unwrap_or_default();
    Ok((left > 0).then(|| Duration::from_secs(left.min(SEEN.unsigned_abs()))))
}
