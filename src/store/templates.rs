//! Clinicians' own forms of the note.

use serde::{Deserialize, Serialize};

use super::place::Place;
use super::{Store, StoreError};

/// A template as its clinician keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredTemplate {
    /// What the clinician calls it.
    pub name: String,
    /// For which specialty; may be empty.
    pub specialty: String,
    /// The template.
    pub text: String,
}

fn place<'a>(clinician: &str, name: &str) -> Place<'a> {
    // No name holds a line break, so that no two have the same place.
    Place::row("templates.document", "", format!("{clinician}\t{name}"))
}

impl Store {
    /// The templates of a clinician, by name.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], and when they cannot be read.
    pub async fn templates(&self, clinician: &str) -> Result<Vec<StoredTemplate>, StoreError> {
        let query = "SELECT name, document FROM templates WHERE clinician = $1 ORDER BY name";
        let rows = sqlx::query_as::<_, (String, Vec<u8>)>(query).bind(clinician).fetch_all(self.pool()).await;
        let rows = rows.map_err(StoreError::database("read templates"))?;
        rows.into_iter().map(|(name, sealed)| place(clinician, &name).unseal_json(&self.shared.master, &sealed)).collect()
    }

    /// Keeps a template, in the place of the clinician's one of the same name.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn keep_template(&self, clinician: &str, template: &StoredTemplate) -> Result<(), StoreError> {
        let sealed = place(clinician, &template.name).seal_json(&self.shared.master, template)?;
        let insert = "INSERT INTO templates (clinician, name, document) VALUES ($1, $2, $3) \
            ON CONFLICT (clinician, name) DO UPDATE SET document = excluded.document";
        let done = sqlx::query(insert).bind(clinician).bind(&template.name).bind(sealed).execute(self.pool()).await;
        done.map(drop).map_err(StoreError::database("keep a template"))
    }

    /// Forgets a template; false where there is none.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub async fn remove_template(&self, clinician: &str, name: &str) -> Result<bool, StoreError> {
        let delete = sqlx::query("DELETE FROM templates WHERE clinician = $1 AND name = $2").bind(clinician).bind(name);
        let done = delete.execute(self.pool()).await.map_err(StoreError::database("remove a template"))?;
        Ok(done.rows_affected() > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Site, on_both};
    use super::*;

    async fn a_clinician_keeps_changes_and_removes_templates_and_sees_no_other_s(site: Site) {
        let store = site.open().await;
        let template = |text: &str| StoredTemplate { name: "DM 覆診".into(), specialty: "Diabetes".into(), text: text.into() };
        store.keep_template("Dr Chan", &template("[S]\n{{S}}")).await.unwrap();
        store.keep_template("Dr Chan", &template("[P]\n{{Plan}}")).await.unwrap();
        assert_eq!(store.templates("Dr Chan").await.unwrap(), [template("[P]\n{{Plan}}")]);
        assert!(store.templates("Dr Wong").await.unwrap().is_empty());
        assert!(!store.remove_template("Dr Wong", "DM 覆診").await.unwrap());
        assert!(store.remove_template("Dr Chan", "DM 覆診").await.unwrap());
        assert!(store.templates("Dr Chan").await.unwrap().is_empty());
    }

    async fn a_template_moved_to_another_clinician_is_damaged(site: Site) {
        let store = site.open().await;
        let template = StoredTemplate { name: "a".into(), specialty: String::new(), text: "[S]\n{{S}}".into() };
        store.keep_template("Dr Chan", &template).await.unwrap();
        sqlx::query("UPDATE templates SET clinician = 'Dr Wong'").execute(store.pool()).await.unwrap();
        assert!(matches!(store.templates("Dr Wong").await, Err(StoreError::Damaged { .. })));
    }

    on_both! {
        a_clinician_keeps_changes_and_removes_templates_and_sees_no_other_s,
        a_template_moved_to_another_clinician_is_damaged,
    }
}
