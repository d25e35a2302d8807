//! Devices and programs that come without a person: each with a token that does one thing, in one organisation and room, for a time.

use sqlx::FromRow;

use super::keys::Change;
use super::people::random;
use super::{By, Place, Store, StoreError};
use crate::audit::{DeviceId, Event, OrganisationId};

/// What a device or program may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceScope {
    /// Record the visits of its organisation: a room's microphone, which of those that name a room hears its own room's alone.
    Record,
    /// Have sound written down that it sends, and nothing kept.
    Transcribe,
}

impl DeviceScope {
    /// `record` or `transcribe`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Transcribe => "transcribe",
        }
    }

    /// The scope of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Record, Self::Transcribe].into_iter().find(|scope| scope.name() == name)
    }
}

/// An enrolled device or program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDevice {
    /// Random; it opens nothing.
    pub id: DeviceId,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// What it may do.
    pub scope: DeviceScope,
    /// What it is called.
    pub name: String,
    /// The room that it stands in; empty for a program.
    pub room: String,
    /// When it was enrolled, in seconds since 1970.
    pub created_at: i64,
    /// Until when its token is good.
    pub ends_at: i64,
}

#[derive(FromRow)]
struct Row {
    id: String,
    organisation: String,
    scope: String,
    name: String,
    room: String,
    created_at: i64,
    ends_at: i64,
}

impl Row {
    fn read(self) -> Result<StoredDevice, StoreError> {
        let damaged = || Place::row("devices", "", self.id.clone()).damaged();
        Ok(StoredDevice {
            id: DeviceId::try_from(self.id.clone()).map_err(|_| damaged())?,
            organisation: OrganisationId::try_from(self.organisation.clone()).map_err(|_| damaged())?,
            scope: DeviceScope::of_name(&self.scope).ok_or_else(damaged)?,
            name: self.name,
            room: self.room,
            created_at: self.created_at,
            ends_at: self.ends_at,
        })
    }
}

const SELECT: &str = "SELECT id, organisation, scope, name, room, created_at, ends_at FROM devices";

impl Store {
    /// Enrols a device of the organisation of who does it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn enrol_device(
        &self,
        token_hash: [u8; 32],
        (scope, name, room): (DeviceScope, &str, &str),
        ends_at: i64,
        by: &By,
    ) -> Result<StoredDevice, StoreError> {
        let (id, created_at) = (DeviceId::from_bytes(random()?), by.seconds());
        let organisation = by.organisation();
        let insert = "INSERT INTO devices (id, token_hash, organisation, scope, name, room, created_at, ends_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let insert = sqlx::query(insert).bind(id.to_string()).bind(token_hash.as_slice()).bind(organisation.to_string());
        let mut act = self.begin("enrol a device").await?;
        act.execute(insert.bind(scope.name()).bind(name).bind(room).bind(created_at).bind(ends_at)).await?;
        act.commit(&Event { device: Some(id), ..by.administered(*id.bytes()) }).await?;
        Ok(StoredDevice { id, organisation, scope, name: name.to_owned(), room: room.to_owned(), created_at, ends_at })
    }

    /// The device with this token, if it is good at `at`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn device_with(&self, token_hash: &[u8; 32], at: i64) -> Result<Option<StoredDevice>, StoreError> {
        let query = format!("{SELECT} WHERE token_hash = $1 AND ends_at > $2");
        let row = self.reader().one::<Row>(sqlx::query_as(&query).bind(token_hash.as_slice()).bind(at)).await;
        row.map_err(StoreError::database("read a device"))?.map(Row::read).transpose()
    }

    /// The device of this id, if it is good at `at`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn device(&self, id: DeviceId, at: i64) -> Result<Option<StoredDevice>, StoreError> {
        let query = format!("{SELECT} WHERE id = $1 AND ends_at > $2");
        let row = self.reader().one::<Row>(sqlx::query_as(&query).bind(id.to_string()).bind(at)).await;
        row.map_err(StoreError::database("read a device"))?.map(Row::read).transpose()
    }

    /// The devices of an organisation, by name, those whose token ran out too.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn devices_of(&self, organisation: OrganisationId) -> Result<Vec<StoredDevice>, StoreError> {
        let query = format!("{SELECT} WHERE organisation = $1 ORDER BY name, id");
        let rows = self.reader().all::<Row>(sqlx::query_as(&query).bind(organisation.to_string())).await;
        rows.map_err(StoreError::database("list the devices"))?.into_iter().map(Row::read).collect()
    }

    /// Revokes a device of an organisation; false where there is none.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn revoke_device(&self, id: DeviceId, organisation: OrganisationId, by: &By) -> Result<bool, StoreError> {
        let delete = sqlx::query("DELETE FROM devices WHERE id = $1 AND organisation = $2").bind(id.to_string());
        let mut act = self.begin("revoke a device").await?;
        if act.execute(delete.bind(organisation.to_string())).await? == 0 {
            return act.abandon().await.map(|()| false);
        }
        act.ends(Change::Ends { id: id.to_string(), at: by.seconds() });
        act.commit(&Event { device: Some(id), ..by.administered(*id.bytes()) }).await.map(|_| true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Site, by, on_both};
    use super::*;

    async fn a_device_is_found_by_its_token_until_it_ends_or_is_revoked(site: Site) {
        let store = site.open().await;
        store.enter_trial("Trial clinician", &by()).await.unwrap();
        let now = by().seconds();
        let device =
            store.enrol_device([1; 32], (DeviceScope::Record, "Room 1 microphone", "1"), now + 100, &by()).await.unwrap();
        assert_eq!(store.device_with(&[1; 32], now).await.unwrap().as_ref(), Some(&device));
        assert_eq!(store.devices_of(device.organisation).await.unwrap(), std::slice::from_ref(&device));
        assert!(store.device_with(&[2; 32], now).await.unwrap().is_none());
        assert!(store.device_with(&[1; 32], now + 100).await.unwrap().is_none());
        let other = OrganisationId::from_bytes([9; 16]);
        assert!(!store.revoke_device(device.id, other, &by()).await.unwrap());
        assert!(store.revoke_device(device.id, device.organisation, &by()).await.unwrap());
        assert!(store.device(device.id, now).await.unwrap().is_none());
    }

    on_both! {
        a_device_is_found_by_its_token_until_it_ends_or_is_revoked,
    }
}
