//! The data folder, and recordings, finals and notes in a database: SQLite in the folder, or PostgreSQL by a URL. Content is sealed.
//!
//! Invariant: no content column, file or log holds patient data in the clear.
//!
//! Every recording has a key of its own, wrapped by the master key and kept in a key store apart (`keys`); its spool and all its content columns are sealed with it, each
//! value bound to its place. So has every patient, whose visits are sealed with it too. One process uses a folder and its database.
//! SQLite has one connection: so a write never waits for a reader, and what is erased can be wiped at once.

mod act;
mod agreements;
mod backup;
mod bindings;
mod consents;
mod contacts;
mod database;
mod deletions;
mod delivery;
mod devices;
mod emergencies;
mod encounters;
mod ended;
mod ended_shares;
mod enrolments;
mod erase;
mod error;
mod event_queue;
mod event_rows;
mod events;
mod expected;
mod feeds;
mod finals;
mod folder;
mod hold;
mod holds;
mod inventory;
mod keys;
mod letterheads;
mod life;
mod lists;
mod merges;
mod moves;
mod notes;
mod outbox;
mod outcomes;
mod owners;
mod pages;
mod passkeys;
mod patients;
mod people;
mod place;
mod record;
mod recordings;
mod recoveries;
mod restrictions;
mod roles;
mod rotate;
mod session_tokens;
mod sessions;
mod sound;
mod staff;
mod stopped;
mod templates;
mod ways_back;
mod witnesses;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Mutex as Turn, Notify, broadcast};

use crate::audit::{Actor, ConsentId};
use crate::ledger::Ledger;
use crate::spool::{Key, Scratch};
use database::{Database, Reader, Upkeep};
use event_queue::EventQueue;
use events::LogTask;
use folder::Folder;
use keys::{KeyStore, Rows};
use lists::Told;
use place::Place;

pub use act::{By, record_id};
pub use agreements::Leave;
pub use backup::{BackedUp, Restored, Restoring, back_up, restore};
pub use bindings::StoredBinding;
pub use consents::{About, Changed, ConsentStep, NewConsent, Side, StoredConsent};
pub use contacts::Contact;
pub use database::DatabaseUrl;
pub use delivery::{Delivered, NotTaken};
pub use devices::{DeviceScope, StoredDevice};
pub use emergencies::{EmergencyAbout, EmergencyTold, StoredEmergency};
pub use encounters::StoredEncounter;
pub use ended_shares::EndedShares;
pub use enrolments::{Enrolment, Entrant, NewCredential, StoredEnrolment};
pub use erase::Erasable;
pub use error::{DeskError, SaveError, StoreError, whole};
pub use event_rows::EventRows;
pub use finals::StoredFinal;
pub use holds::{Held, LegalHold};
pub use inventory::{Inventoried, Inventory};
pub use keys::MasterSource;
pub use letterheads::Letterhead;
pub use lists::List;
pub use merges::{Likeness, StoredMerge};
pub use notes::Document;
pub use outbox::{Kind as MessageKind, OutboxMessage, OutboxState, Outgoing, Told as MessageTold};
pub use outcomes::SignedNote;
pub use owners::{Owner, Reach};
pub use pages::PatientPage;
pub use passkeys::{NewPasskey, StoredPasskey};
pub use patients::StoredPatient;
pub use people::{Card, StoredOrganisation, StoredPerson, TRIAL, TRIAL_ORGANISATION, TRIAL_PERSON, TRIAL_ROLE};
pub use record::{KeptRecord, SeenVisit};
pub use recordings::{NewRecording, Recording, State};
pub use recoveries::StoredRecovery;
pub use restrictions::Restriction;
pub use roles::{NewRole, RoleEnd, StoredRole};
pub use rotate::rotate_keys;
pub use session_tokens::Shown;
pub use sessions::{NewSession, StoredSession};
pub use sound::SoundState;
pub use stopped::Remover;
pub use templates::{StoredTemplate, TemplateChoice};
pub use ways_back::WayChange;

/// What the probe says.
const PROBE: &[u8] = b"cantoscribe";

/// Changes of consents that somebody who watches them may be late by; beyond, they look at all.
const CHANGES: usize = 256;

/// What to open, and how.
#[derive(Debug, Clone, Default)]
pub struct Opening {
    /// The data folder.
    pub data: PathBuf,
    /// The PostgreSQL that has the rows; without it they are in the folder.
    pub database: Option<DatabaseUrl>,
    /// Where the master key comes from.
    pub master: MasterSource,
    /// Whether a PostgreSQL that needs another form was saved. A SQLite is copied by the program itself.
    pub saved: bool,
}

/// A data folder in use. Clones share it; it is free again when the last one is gone.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    database: Database,
    keys: KeyStore,
    /// What the start erased again.
    erased_again: AtomicUsize,
    /// What the start ended again.
    ended_again: AtomicUsize,
    /// Held while something is erased and wiped: one erasing must not call clean what another has marked meanwhile.
    erasing: Turn<()>,
    /// The files of the audit log.
    ledger: Mutex<Ledger>,
    more_events: Arc<Notify>,
    event_queue: EventQueue,
    /// Whom roles were told in lists.
    told: Told,
    log_task: Mutex<LogTask>,
    /// Tells of each consent that changed, after it did.
    consent_changes: broadcast::Sender<ConsentId>,
    /// Wakes who delivers messages.
    more_messages: Notify,
    /// The last to be dropped: it holds the lock.
    folder: Folder,
}

impl Store {
    /// Opens a data folder with its own SQLite database, or makes one. Brings the database to this version's form and ends what was
    /// interrupted.
    ///
    /// # Errors
    /// When another process uses it; when its master key is missing, not the right one, or readable by others; when the
    /// database is of a later version or cannot be used.
    pub async fn open(data: &Path) -> Result<Self, StoreError> {
        Self::open_with(&Opening { data: data.to_owned(), ..Opening::default() }).await
    }

    /// The same with a PostgreSQL database; the folder has the master key and the sound.
    ///
    /// # Errors
    /// As [`Store::open`]; and when the URL is none, the server cannot be reached, or another process uses the database.
    pub async fn open_at(data: &Path, url: &DatabaseUrl) -> Result<Self, StoreError> {
        Self::open_with(&Opening { data: data.to_owned(), database: Some(url.clone()), ..Opening::default() }).await
    }

    /// Opens what this names.
    ///
    /// # Errors
    /// As [`Store::open_at`]; and when the master key cannot be had from where it is said to come from.
    pub async fn open_with(opening: &Opening) -> Result<Self, StoreError> {
        let folder = acquire(&opening.data).await?;
        if folder.unfinished().exists() {
            return Err(StoreError::HalfRestored { folder: opening.data.clone() });
        }
        let database = match &opening.database {
            None => Database::sqlite(&folder.database()?, &folder.copies()).await?,
            Some(url) => Database::postgres(url, opening.saved).await?,
        };
        Self::with(folder, database, &opening.master).await
    }

    async fn with(folder: Folder, database: Database, master: &MasterSource) -> Result<Self, StoreError> {
        let stored = database.reader().one::<(Vec<u8>, i64)>(sqlx::query_as("SELECT probe, keys_apart FROM upkeep")).await;
        let stored = stored.map_err(StoreError::database("be checked"))?;
        let rows = stored.as_ref().map_or(Rows::New, |(_, apart)| if *apart == 1 { Rows::Apart } else { Rows::WithKeys });
        let probe = Place::new("upkeep.probe", "");
        let is_root = |key: &Key| {
            let sealed = stored.as_ref().map(|(sealed, _)| sealed.as_slice()).unwrap_or_default();
            probe.unseal(key, sealed).is_ok_and(|found| *found == PROBE)
        };
        let keys = KeyStore::open(&folder, master, rows, is_root).await?;
        let ledger = Mutex::new(folder.ledger()?);
        let more_events = Arc::new(Notify::new());
        let (erasing, log_task) = (Turn::default(), Mutex::default());
        let (consent_changes, more_messages) = (broadcast::Sender::new(CHANGES), Notify::new());
        let event_queue = EventQueue::default();
        let shared = Shared {
            database,
            keys,
            erased_again: AtomicUsize::new(0),
            ended_again: AtomicUsize::new(0),
            erasing,
            ledger,
            more_events,
            event_queue,
            told: Told::default(),
            log_task,
            consent_changes,
            more_messages,
            folder,
        };
        let store = Self { shared: Arc::new(shared) };
        if rows == Rows::New {
            let sealed = probe.seal(store.root(), PROBE)?;
            let insert = sqlx::query("INSERT INTO upkeep (id, probe, wipe, keys_apart) VALUES (1, $1, 0, 1)").bind(sealed);
            store.database().keep_up(Upkeep::Probe, insert).await.map_err(StoreError::database("be checked"))?;
        }
        store.begin_log().await?;
        store.remember_lists(By::now(Actor::System).at).await?;
        if rows == Rows::WithKeys {
            store.part_keys().await?;
        }
        let owed = store.tell_owed().await?;
        store.end_erasures().await?;
        let again = store.erase_again().await?;
        store.shared.erased_again.store(again, Ordering::Relaxed);
        let again = store.end_again().await?;
        store.shared.ended_again.store(again, Ordering::Relaxed);
        store.settle_owed(owed).await?;
        Ok(store)
    }

    /// Waits until everything is written, the audit log's files too, and closed. Not needed: dropping the last clone is safe too.
    pub async fn close(self) {
        if let Err(error) = self.write_log().await {
            tracing::error!(%error, "the audit log could not be written; it is at the next start");
        }
        self.end_log_task().await;
        self.shared.database.close().await;
        self.shared.keys.close().await;
    }

    /// Asks the database for something small.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn answers(&self) -> Result<(), StoreError> {
        let asked = self.reader().one::<(i64,)>(sqlx::query_as("SELECT wipe FROM upkeep")).await;
        asked.map(drop).map_err(StoreError::database("answer"))
    }

    /// The spool of this recording, whether it is there or not.
    #[must_use]
    pub fn spool_path(&self, id: &str) -> PathBuf {
        // An id has nothing else, and what somebody made up cannot lead out of the folder.
        let name: String = id.chars().filter(|c| recordings::is_of_id(*c)).collect();
        self.shared.folder.audio().join(name)
    }

    /// An empty file on the disk that the folder is on, for what is not to be kept.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn scratch(&self) -> Result<Scratch, StoreError> {
        Ok(Scratch::create(self.shared.folder.path())?)
    }

    /// Bytes that can still be written to the disk that the folder is on.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn free_space(&self) -> Result<u64, StoreError> {
        let folder = self.shared.folder.path();
        fs4::available_space(folder).map_err(StoreError::io("ask for the free space of", folder))
    }

    fn database(&self) -> &Database {
        &self.shared.database
    }

    /// The key of what is nobody's in particular.
    fn root(&self) -> &Key {
        self.shared.keys.root()
    }

    fn reader(&self) -> Reader<'_> {
        self.shared.database.reader()
    }
}

/// Takes the folder's lock. It is tried for a while: somebody who lets go of it now may still be writing the end of the audit log, and a
/// program that another thread is just starting has our open files until it runs, a lock that we let go of too.
async fn acquire(data: &Path) -> Result<Folder, StoreError> {
    for _ in 0..20 {
        match Folder::acquire(data) {
            Err(StoreError::InUse { .. }) => tokio::time::sleep(Duration::from_millis(50)).await,
            other => return other,
        }
    }
    Folder::acquire(data)
}

impl Drop for Shared {
    fn drop(&mut self) {
        // The task that writes the log looks once more, and finds the store gone.
        self.more_events.notify_one();
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("folder", &self.shared.folder.path()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod agreement_tests;
#[cfg(test)]
mod emergency_tests;
#[cfg(test)]
mod ended_tests;
#[cfg(test)]
mod erase_tests;
#[cfg(test)]
mod key_tests;
#[cfg(test)]
mod merge_tests;
#[cfg(test)]
mod number_tests;
#[cfg(test)]
mod restriction_tests;
#[cfg(test)]
mod retention_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod visit_tests;

#[cfg(test)]
mod event_tests;

#[cfg(test)]
mod consent_tests;

#[cfg(test)]
mod upgrade_tests;

#[cfg(test)]
mod backup_tests;
