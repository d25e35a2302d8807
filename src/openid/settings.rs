//! The file that describes the providers.

use std::env;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use zeroize::Zeroizing;

use super::OpenIdError;
use crate::gateway::{GatewayError, http, read_form, read_private};

/// The providers of an installation, as a TOML file has them.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The providers, in the order of their buttons.
    #[serde(default)]
    pub provider: Vec<ProviderSettings>,
}

/// An issuer at which people sign in.
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub struct ProviderSettings {
    /// Its address, exactly as its tokens have it. `https`, or `http` on this machine.
    pub issuer: String,
    /// What this server is called there.
    pub client: String,
    /// A file with the client's secret, which its owner alone can read. One of the three ways is needed.
    pub secret_file: Option<PathBuf>,
    /// The environment's variable that has the secret.
    pub secret_environment: Option<String>,
    /// The systemd credential that has the secret.
    pub secret_credential: Option<String>,
    /// What is asked for beside `openid`, which is always asked for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// What the button says.
    pub name: String,
    /// What it says in Chinese.
    pub chinese_name: Option<String>,
    /// Classes of authentication, one of which the ID token has to name.
    #[serde(default)]
    pub acr_values: Vec<String>,
    /// Seconds before which the person signed in there, at the earliest; 0 has everybody sign in anew.
    pub max_age: Option<u32>,
    /// The certificates (PEM) that vouch for it, where it is not one of the usual authorities.
    pub authority: Option<PathBuf>,
}

impl Settings {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read, can be read by others, or is not of this form.
    pub fn read(path: &Path) -> Result<Self, OpenIdError> {
        Ok(read_form(path)?)
    }
}

impl ProviderSettings {
    /// Looks at what needs no asking.
    pub(super) fn check(&self) -> Result<(), OpenIdError> {
        let wrong = |field, what| Err(GatewayError::Setting { field, what }.into());
        http::check(&self.issuer, "provider.issuer", "an https address is needed: who has the answers comes in")?;
        if self.issuer.contains(['?', '#']) {
            return wrong("provider.issuer", "an issuer has neither `?` nor `#`");
        }
        let shown = |name: &str| !name.trim().is_empty() && name.chars().count() <= 60 && !name.chars().any(char::is_control);
        if !shown(&self.name) {
            return wrong("provider.name", "a name of 1 to 60 characters is needed");
        }
        if self.chinese_name.as_deref().is_some_and(|name| !shown(name)) {
            return wrong("provider.chinese_name", "a name of 1 to 60 characters is needed");
        }
        if self.client.is_empty() {
            return wrong("provider.client", "it is empty");
        }
        let spaced = |values: &[String]| values.iter().any(|value| value.is_empty() || value.contains(char::is_whitespace));
        if spaced(&self.scopes) {
            return wrong("provider.scopes", "a scope is one word");
        }
        if spaced(&self.acr_values) {
            return wrong("provider.acr_values", "a class is one word");
        }
        Ok(())
    }

    /// The client's secret, without the line break at its end.
    pub(super) fn secret(&self) -> Result<Zeroizing<String>, OpenIdError> {
        let wrong = |what| OpenIdError::Secret { client: self.client.clone(), what };
        let from_environment = |name: &str| env::var(name).map_err(|_| wrong("the environment has no such variable"));
        let whole = match (&self.secret_file, &self.secret_environment, &self.secret_credential) {
            (Some(path), None, None) => read_private(path)?,
            (None, Some(name), None) => Zeroizing::new(from_environment(name)?),
            (None, None, Some(name)) => {
                if name.contains('/') || name.starts_with('.') {
                    return Err(wrong("a credential's name is no path"));
                }
                // Systemd lets the service alone into this folder.
                let folder = env::var_os("CREDENTIALS_DIRECTORY").ok_or_else(|| wrong("there is no $CREDENTIALS_DIRECTORY"))?;
                let path = Path::new(&folder).join(name);
                std::fs::read_to_string(&path)
                    .map(Zeroizing::new)
                    .map_err(|source| GatewayError::Read { path: path.clone(), source })?
            }
            _ => return Err(wrong("one of `secret_file`, `secret_environment` and `secret_credential` is needed")),
        };
        let secret = Zeroizing::new(whole.trim_end_matches(['\r', '\n']).to_owned());
        if secret.is_empty() { Err(wrong("it is empty")) } else { Ok(secret) }
    }
}
