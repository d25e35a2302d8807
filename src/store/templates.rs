//! Clinicians' own forms of the note.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::place::Place;
use super::{By, Store, StoreError};
use crate::audit::Action;

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

/// Which templates a clinician has chosen: one at most for each specialty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TemplateChoice {
    /// The specialty that the clinician works in now; may be empty.
    pub specialty: String,
    /// The template's name by specialty.
    pub chosen: BTreeMap<String, String>,
}

fn choice_place<'a>(clinician: &str) -> Place<'a> {
    Place::row("template_choices.document", "", clinician.to_owned())
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
        let rows = self.reader().all::<(String, Vec<u8>)>(sqlx::query_as(query).bind(clinician)).await;
        let rows = rows.map_err(StoreError::database("read templates"))?;
        rows.into_iter().map(|(name, sealed)| place(clinician, &name).unseal_json(self.root(), &sealed)).collect()
    }

    /// Keeps a template, in the place of the clinician's one of the same name.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn keep_template(&self, clinician: &str, template: &StoredTemplate, by: &By) -> Result<(), StoreError> {
        let sealed = place(clinician, &template.name).seal_json(self.root(), template)?;
        let insert = "INSERT INTO templates (clinician, name, document) VALUES ($1, $2, $3) \
            ON CONFLICT (clinician, name) DO UPDATE SET document = excluded.document";
        let mut act = self.begin("keep a template").await?;
        act.execute(sqlx::query(insert).bind(clinician).bind(&template.name).bind(sealed)).await?;
        act.commit(&by.did_in_general(Action::Administer)).await.map(drop)
    }

    /// Forgets a template; false where there is none.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub async fn remove_template(&self, clinician: &str, name: &str, by: &By) -> Result<bool, StoreError> {
        let delete = sqlx::query("DELETE FROM templates WHERE clinician = $1 AND name = $2").bind(clinician).bind(name);
        let mut act = self.begin("remove a template").await?;
        if act.execute(delete).await? == 0 {
            return act.abandon().await.map(|()| false);
        }
        act.commit(&by.did_in_general(Action::Administer)).await.map(|_| true)
    }

    /// What a clinician has chosen; nothing chosen where it never was.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], and when it cannot be read.
    pub async fn template_choice(&self, clinician: &str) -> Result<TemplateChoice, StoreError> {
        let query = "SELECT document FROM template_choices WHERE clinician = $1";
        let row = self.reader().one::<(Vec<u8>,)>(sqlx::query_as(query).bind(clinician)).await;
        let row = row.map_err(StoreError::database("read the chosen templates"))?;
        row.map_or_else(|| Ok(TemplateChoice::default()), |(sealed,)| choice_place(clinician).unseal_json(self.root(), &sealed))
    }

    /// Keeps what a clinician has chosen.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn keep_template_choice(&self, clinician: &str, choice: &TemplateChoice, by: &By) -> Result<(), StoreError> {
        let sealed = choice_place(clinician).seal_json(self.root(), choice)?;
        let insert = "INSERT INTO template_choices (clinician, document) VALUES ($1, $2) \
            ON CONFLICT (clinician) DO UPDATE SET document = excluded.document";
        let mut act = self.begin("choose a template").await?;
        act.execute(sqlx::query(insert).bind(clinician).bind(sealed)).await?;
        act.commit(&by.did_in_general(Action::Administer)).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Site, by, on_both};
    use super::*;

    async fn a_clinician_keeps_changes_and_removes_templates_and_sees_no_other_s(site: Site) {
        let store = site.open().await;
        let template = |text: &str| StoredTemplate { name: "DM 覆診".into(), specialty: "Diabetes".into(), text: text.into() };
        store.keep_template("Dr Chan", &template("[S]\n{{S}}"), &by()).await.unwrap();
        store.keep_template("Dr Chan", &template("[P]\n{{Plan}}"), &by()).await.unwrap();
        assert_eq!(store.templates("Dr Chan").await.unwrap(), [template("[P]\n{{Plan}}")]);
        assert!(store.templates("Dr Wong").await.unwrap().is_empty());
        assert!(!store.remove_template("Dr Wong", "DM 覆診", &by()).await.unwrap());
        assert!(store.remove_template("Dr Chan", "DM 覆診", &by()).await.unwrap());
        assert!(store.templates("Dr Chan").await.unwrap().is_empty());
    }

    async fn a_template_moved_to_another_clinician_is_damaged(site: Site) {
        let store = site.open().await;
        let template = StoredTemplate { name: "a".into(), specialty: String::new(), text: "[S]\n{{S}}".into() };
        store.keep_template("Dr Chan", &template, &by()).await.unwrap();
        sqlx::query("UPDATE templates SET clinician = 'Dr Wong'").execute(store.database().pool()).await.unwrap();
        assert!(matches!(store.templates("Dr Wong").await, Err(StoreError::Damaged { .. })));
    }

    async fn a_choice_is_kept_for_each_specialty_and_is_the_clinician_s_own(site: Site) {
        let store = site.open().await;
        assert_eq!(store.template_choice("Dr Chan").await.unwrap(), TemplateChoice::default());
        let chosen = BTreeMap::from([("Diabetes".to_owned(), "DM 覆診".to_owned()), (String::new(), "GOPC".to_owned())]);
        let choice = TemplateChoice { specialty: "Diabetes".into(), chosen };
        store.keep_template_choice("Dr Chan", &TemplateChoice::default(), &by()).await.unwrap();
        store.keep_template_choice("Dr Chan", &choice, &by()).await.unwrap();
        assert_eq!(store.template_choice("Dr Chan").await.unwrap(), choice);
        assert_eq!(store.template_choice("Dr Wong").await.unwrap(), TemplateChoice::default());
        sqlx::query("UPDATE template_choices SET clinician = 'Dr Wong'").execute(store.database().pool()).await.unwrap();
        assert!(matches!(store.template_choice("Dr Wong").await, Err(StoreError::Damaged { .. })));
    }

    on_both! {
        a_choice_is_kept_for_each_specialty_and_is_the_clinician_s_own,
        a_clinician_keeps_changes_and_removes_templates_and_sees_no_other_s,
        a_template_moved_to_another_clinician_is_damaged,
    }
}
