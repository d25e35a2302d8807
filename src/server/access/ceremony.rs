//! Ceremonies with passkeys (WebAuthn). What a browser is asked for to register one waits here, what it is asked for to sign in goes with it,
//! sealed; who it is comes out of the answer.

use serde::Serialize;
use serde_json::Value;
use webauthn_rs::Webauthn;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential, Url, Uuid,
    WebauthnBuilder, WebauthnError,
};

use crate::audit::PersonId;
use crate::server::error::{ApiError, ServerError};
use crate::store::{NewPasskey, StoredPasskey};

/// What makes and checks ceremonies for one address.
pub(in crate::server) struct Ceremonies {
    webauthn: Webauthn,
}

/// Who came, by which passkey.
pub(in crate::server) struct Identified {
    /// Whom the authenticator says that it belongs to.
    pub person: PersonId,
    /// The id of its credential.
    pub credential: Vec<u8>,
}

impl Ceremonies {
    /// For pages at this address, which is `https://` or a loopback `http://localhost`.
    ///
    /// # Errors
    /// [`ServerError::PublicUrl`] when it is no address that passkeys can be for.
    pub fn new(origin: &str) -> Result<Self, ServerError> {
        let wrong = || ServerError::PublicUrl(origin.to_owned());
        let url = Url::parse(origin).map_err(|_| wrong())?;
        let host = url.domain().ok_or_else(wrong)?;
        let secure = url.scheme() == "https" || (url.scheme() == "http" && host == "localhost");
        if !secure {
            return Err(wrong());
        }
        let builder = WebauthnBuilder::new(host, &url).map_err(|_| wrong())?;
        Ok(Self { webauthn: builder.rp_name("cantoscribe").build().map_err(|_| wrong())? })
    }

    /// Asks for a new passkey of a person who has these.
    ///
    /// # Errors
    /// When nothing random can be had, or a passkey is damaged.
    pub fn register(
        &self,
        person: PersonId,
        name: &str,
        known: &[StoredPasskey],
    ) -> Result<(Value, PasskeyRegistration), ApiError> {
        let known = known.iter().map(|passkey| key_of(passkey).map(|key| key.cred_id().clone())).collect::<Result<_, _>>()?;
        let asked = self.webauthn.start_passkey_registration(Uuid::from_bytes(*person.bytes()), name, name, Some(known));
        let (options, state) = asked.map_err(|error| ApiError::internal(&error))?;
        let mut options = written(&options)?;
        // Found without a name typed in: who signs in says nothing that could be guessed at.
        if let Some(selection) = options.pointer_mut("/publicKey/authenticatorSelection").and_then(Value::as_object_mut) {
            selection.insert("residentKey".to_owned(), "required".into());
            selection.insert("requireResidentKey".to_owned(), true.into());
        }
        Ok((options, state))
    }

    /// The passkey that a browser registered.
    ///
    /// # Errors
    /// [`ApiError::PasskeyRefused`] when it is not what was asked for.
    pub fn registered(&self, answer: Value, state: &PasskeyRegistration, label: &str) -> Result<NewPasskey, ApiError> {
        let answer: RegisterPublicKeyCredential = serde_json::from_value(answer).map_err(|_| ApiError::PasskeyRefused)?;
        let key = self.webauthn.finish_passkey_registration(&answer, state).map_err(refused)?;
        let credential = key.cred_id().clone();
        Ok(NewPasskey { credential, label: label.to_owned(), key: serde_json::to_string(&key)? })
    }

    /// Asks for a passkey of whoever is there.
    ///
    /// # Errors
    /// When nothing random can be had.
    pub fn sign_in(&self) -> Result<(Value, DiscoverableAuthentication), ApiError> {
        let asked = self.webauthn.start_discoverable_authentication();
        let (options, state) = asked.map_err(|error| ApiError::internal(&error))?;
        let mut options = written(&options)?;
        // The page asks when somebody presses its button.
        if let Some(all) = options.as_object_mut() {
            all.remove("mediation");
        }
        Ok((options, state))
    }

    /// Whose answer this claims to be.
    ///
    /// # Errors
    /// [`ApiError::PasskeyRefused`].
    pub fn identify(&self, answer: &Value) -> Result<(PublicKeyCredential, Identified), ApiError> {
        let answer: PublicKeyCredential = serde_json::from_value(answer.clone()).map_err(|_| ApiError::PasskeyRefused)?;
        let found = self.webauthn.identify_discoverable_authentication(&answer).map_err(refused)?;
        let (person, credential) = (PersonId::from_bytes(*found.0.as_bytes()), found.1.to_vec());
        Ok((answer, Identified { person, credential }))
    }

    /// Whether this passkey gave the answer; what is to be kept of it now, where its counter moved.
    ///
    /// # Errors
    /// [`ApiError::PasskeyRefused`].
    pub fn signed_in(
        &self,
        answer: &PublicKeyCredential,
        state: DiscoverableAuthentication,
        passkey: &StoredPasskey,
    ) -> Result<Option<String>, ApiError> {
        let mut key = key_of(passkey)?;
        let result = self.webauthn.finish_discoverable_authentication_v2(answer, state, &key).map_err(refused)?;
        match key.update_credential(&result) {
            Some(true) => Ok(Some(serde_json::to_string(&key)?)),
            _ => Ok(None),
        }
    }
}

fn key_of(passkey: &StoredPasskey) -> Result<Passkey, ApiError> {
    Ok(serde_json::from_str(&passkey.key)?)
}

fn written(options: &impl Serialize) -> Result<Value, ApiError> {
    Ok(serde_json::to_value(options)?)
}

/// The library's reason goes to the log: it names rules of the protocol, and nothing of a person.
fn refused(error: WebauthnError) -> ApiError {
    tracing::info!(%error, "a passkey was refused");
    ApiError::PasskeyRefused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_are_for_names_over_tls_or_this_machine() {
        for good in ["https://clinic.example", "https://clinic.example:8443", "http://localhost:8080"] {
            assert!(Ceremonies::new(good).is_ok(), "{good}");
        }
        for wrong in
            ["", "clinic.example", "http://clinic.example", "https://192.0.2.1", "http://127.0.0.1:8080", "ftp://localhost"]
        {
            assert!(matches!(Ceremonies::new(wrong), Err(ServerError::PublicUrl(_))), "{wrong}");
        }
    }

    #[test]
    fn a_browser_is_asked_for_a_passkey_that_is_found_without_a_name() {
        let ceremonies = Ceremonies::new("http://localhost:8080").unwrap();
        let (options, _) = ceremonies.register(PersonId::from_bytes([7; 16]), "Dr Chan", &[]).unwrap();
        let selection = &options["publicKey"]["authenticatorSelection"];
        assert_eq!((&selection["residentKey"], &selection["userVerification"]), (&"required".into(), &"required".into()));
        assert_eq!(options["publicKey"]["rp"]["id"], "localhost");
        let (options, _) = ceremonies.sign_in().unwrap();
        assert_eq!(options["publicKey"]["userVerification"], "required");
        assert!(
            options.get("mediation").is_none() && options["publicKey"]["allowCredentials"].as_array().is_none_or(Vec::is_empty)
        );
        assert!(matches!(ceremonies.identify(&serde_json::json!({"id": "x"})), Err(ApiError::PasskeyRefused)));
    }
}
