//! `cantoscribe accounts`, from the console of the machine: a way back in for an administrator who lost every passkey, and the way in for
//! another organisation.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};

use super::data::DataArguments;
use super::output::print;
use crate::audit::{Actor, PersonId};
use crate::identity::RoleKind;
use crate::room::Token;
use crate::store::{By, Enrolment, Store};

/// Seconds that the token is good for.
const GOOD_FOR: i64 = 3600;

/// Arguments of `cantoscribe accounts`.
#[derive(Debug, Args)]
pub struct AccountsArguments {
    #[command(subcommand)]
    command: AccountsCommand,
}

/// What to do with accounts.
#[derive(Debug, Subcommand)]
enum AccountsCommand {
    /// Let an administrator register a new passkey; the server must not be running
    Recover {
        #[command(flatten)]
        data: DataArguments,
        /// Whom, where there are several administrators: the id that is listed then
        #[arg(long, value_name = "ID")]
        person: Option<String>,
    },
    /// Make the link with which somebody founds another organisation and administers it; the server must not be running
    Organisation {
        #[command(flatten)]
        data: DataArguments,
    },
}

/// Seconds that a link for another organisation is good for.
const FOUNDING: i64 = 72 * 3600;

/// Runs `cantoscribe accounts`.
///
/// # Errors
/// A data folder that is in use or cannot be used, and a person who administers nothing.
pub fn run(arguments: &AccountsArguments) -> anyhow::Result<ExitCode> {
    let (AccountsCommand::Recover { data, .. } | AccountsCommand::Organisation { data }) = &arguments.command;
    let opening = data.opening()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot open the store")?;
    runtime.block_on(async {
        let store = Store::open_with(&opening).await?;
        store.tell_unlocked().await?;
        let told = match &arguments.command {
            AccountsCommand::Recover { person, .. } => recover(&store, person.as_deref()).await,
            AccountsCommand::Organisation { .. } => found(&store).await,
        };
        store.close().await;
        print(&told?)?;
        Ok(ExitCode::SUCCESS)
    })
}

/// What to tell of the way in for another organisation.
async fn found(store: &Store) -> anyhow::Result<String> {
    let (token, by) = (Token::generate()?, By::now(Actor::System));
    store.offer((token.hash(), by.seconds() + FOUNDING), None, &Enrolment::SetUp, &by).await?;
    let token = token.reveal();
    Ok(format!(
        "Whoever opens this first, within 72 hours, administers a new organisation. Start the server and open, at its address:\n/accounts#{token}\n"
    ))
}

/// What to tell of a new token.
async fn recover(store: &Store, person: Option<&str>) -> anyhow::Result<String> {
    let by = By::now(Actor::System);
    let mut administrators: Vec<(PersonId, String)> = Vec::new();
    for organisation in store.organisations().await? {
        for role in store.roles_in(organisation.id).await? {
            if role.kind == RoleKind::Administrator && role.is_held(by.seconds()) {
                administrators.push((role.person.id, format!("{}, {}", role.person.card.name, organisation.name)));
            }
        }
    }
    let wanted = |id: &PersonId| person.is_none_or(|wanted| id.to_string() == wanted);
    administrators.retain(|(id, _)| wanted(id));
    administrators.dedup_by_key(|(id, _)| *id);
    let (id, name) = match administrators.as_slice() {
        [] => bail!("there is no such administrator; without any, `cantoscribe serve` prints a link that makes the first"),
        [one] => one,
        several => {
            let list: String = several.iter().map(|(id, name)| format!("\n  --person {id}  {name}")).collect();
            bail!("there are several administrators; say whom:{list}");
        }
    };
    let token = Token::generate()?;
    store
        .offer((token.hash(), by.seconds() + GOOD_FOR), None, &Enrolment::Recovery { person: *id, offered_by: None }, &by)
        .await?;
    Ok(format!(
        "{name} can register a new passkey within an hour, once. Start the server and open, at its address:\n/accounts#{}\n",
        token.reveal()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Card, NewRole};

    #[tokio::test]
    async fn an_administrator_is_recovered_and_several_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).await.unwrap();
        let by = By::now(Actor::System);
        assert!(recover(&store, None).await.unwrap_err().to_string().contains("no such administrator"));
        let organisation = store.create_organisation("Clinic", None, &by).await.unwrap().id;
        let mut people = Vec::new();
        for name in ["Dr Chan", "Ms Ho"] {
            let person = store.create_person(&Card { name: name.into(), phone: None, email: None }, &by).await.unwrap().id;
            let kind = RoleKind::Administrator;
            store
                .give_role(&NewRole { person, organisation, kind, starts_at: 0, ends_at: None, department: None }, &by)
                .await
                .unwrap();
            people.push(person);
        }
        let several = recover(&store, None).await.unwrap_err().to_string();
        assert!(several.contains(&format!("--person {}  Ms Ho, Clinic", people[1])), "{several}");
        let told = recover(&store, Some(&people[1].to_string())).await.unwrap();
        let token = Token::from_client(told.trim().rsplit_once('#').unwrap().1.to_owned());
        let found = store.enrolment_with(&token.hash(), by.seconds()).await.unwrap().unwrap();
        assert_eq!(found.enrolment, Enrolment::Recovery { person: people[1], offered_by: None });
        assert_eq!(found.organisation, None);
    }
}
