//! Where organisations are and how they are reached, as it stands on their letters.

use super::{By, Store, StoreError};
use crate::audit::OrganisationId;

/// What stands below an organisation's name on its letters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Letterhead {
    /// Where it is.
    pub address: Option<String>,
    /// Its telephone number.
    pub phone: Option<String>,
}

impl Store {
    /// What stands on an organisation's letters below its name; nothing where nobody entered it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn letterhead(&self, of: OrganisationId) -> Result<Letterhead, StoreError> {
        let query = sqlx::query_as("SELECT address, phone FROM organisation_contacts WHERE organisation = $1");
        let row = self.reader().one::<(Option<String>, Option<String>)>(query.bind(of.to_string())).await;
        let row = row.map_err(StoreError::database("read a letterhead"))?;
        Ok(row.map(|(address, phone)| Letterhead { address, phone }).unwrap_or_default())
    }

    /// Keeps it in the place of what was kept before.
    ///
    /// # Errors
    /// When there is no such organisation, and when it cannot be written.
    pub async fn set_letterhead(&self, of: OrganisationId, to: &Letterhead, by: &By) -> Result<(), StoreError> {
        let put = "INSERT INTO organisation_contacts (organisation, address, phone) VALUES ($1, $2, $3) \
            ON CONFLICT (organisation) DO UPDATE SET address = excluded.address, phone = excluded.phone";
        let put = sqlx::query(put).bind(of.to_string()).bind(&to.address).bind(&to.phone);
        let mut act = self.begin("keep a letterhead").await?;
        act.execute(put).await?;
        act.commit(&by.administered(*of.bytes())).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Site, by, on_both};
    use super::*;

    async fn a_letterhead_is_an_organisations_own(site: Site) {
        let store = site.open().await;
        let one = store.create_organisation("Peak Clinic", None, &by()).await.unwrap().id;
        let other = store.create_organisation("Harbour Clinic", None, &by()).await.unwrap().id;
        let first = Letterhead { address: Some("1 Peak Road".into()), phone: Some("2123 4567".into()) };
        store.set_letterhead(one, &first, &by()).await.unwrap();
        assert_eq!(store.letterhead(one).await.unwrap(), first);
        assert_eq!(store.letterhead(other).await.unwrap(), Letterhead::default());
        let second = Letterhead { phone: None, ..first };
        store.set_letterhead(one, &second, &by()).await.unwrap();
        assert_eq!(store.letterhead(one).await.unwrap(), second);
        assert!(store.set_letterhead(OrganisationId::from_bytes([9; 16]), &second, &by()).await.is_err());
    }

    on_both! {
        a_letterhead_is_an_organisations_own,
    }
}
