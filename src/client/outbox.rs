//! The outbox: recordings that a server has not finished yet, sealed on this machine's disk.
//!
//! A recording is two files: `ID.sound`, a spool, and `ID.about`, what is known of it, sealed with the same key. The key is a file of
//! the folder that only its owner can read.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::kept::{Kept, Safe};
use super::{Address, ClientError};
use crate::spool::{Key, RecordKind, SpoolError, SpoolReader, SpoolWriter};

const KEY: &str = "key";
const SOUND: &str = "sound";
const ABOUT: &str = "about";

/// What a stream is, as a server is told when it begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Samples a second.
    pub rate: u32,
    /// Samples in a frame.
    pub channels: u16,
    /// `yue`, `zh`, `en` or `auto`.
    pub language: String,
    /// Who is on which channel, where that is known.
    pub speakers: Vec<String>,
}

/// What must be known to send a recording, also after this program was killed.
#[derive(Clone, Serialize, Deserialize)]
struct About {
    server: String,
    terms: Terms,
    /// Seconds since 1970.
    begun_at: u64,
    /// The server's name for it and the token that opens it, once the server has begun it.
    there: Option<There>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct There {
    pub(super) recording: String,
    pub(super) token: String,
}

/// The folder of the recordings that are still to be delivered.
pub struct Outbox {
    folder: PathBuf,
    key: Key,
}

/// A recording to be delivered.
pub struct Pending {
    /// Seconds since 1970 when it began.
    pub begun_at: u64,
    files: Files,
    about: About,
    pub(super) safe: Arc<Safe>,
    /// Of a recording left by an earlier run: holds its lock.
    _lock: Option<SpoolWriter>,
}

/// What earlier runs left.
#[derive(Default)]
pub struct Left {
    /// For this server.
    pub pending: Vec<Pending>,
    /// How many there are for other servers.
    pub elsewhere: usize,
    /// What could not be read.
    pub damaged: Vec<ClientError>,
}

#[derive(Clone)]
struct Files {
    folder: PathBuf,
    id: String,
    key: Key,
}

impl Outbox {
    /// Opens the outbox in a data folder; makes it, and its key, where there is none.
    ///
    /// # Errors
    /// A folder that cannot be written, or a key that others can read.
    pub fn open(data: &Path) -> Result<Self, ClientError> {
        let folder = data.join("outbox");
        let unusable = |source| ClientError::Outbox { path: folder.clone(), source };
        make_private(&folder).map_err(unusable)?;
        let key = key(&folder.join(KEY))?;
        Ok(Self { folder, key })
    }

    /// Begins a recording: the side that keeps the sound, and the side that delivers it.
    ///
    /// # Errors
    /// A full disk, or a folder that cannot be written.
    pub fn begin(&self, server: &Address, terms: Terms, begun_at: u64) -> Result<(Kept, Pending), ClientError> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|_| ClientError::Random)?;
        let id: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let files = Files { folder: self.folder.clone(), id, key: self.key.clone() };
        let writer = SpoolWriter::create(&files.path(SOUND), &self.key, &files.id)?;
        let safe = Arc::new(Safe::default());
        let channels = terms.channels;
        let about = About { server: server.text(), terms, begun_at, there: None };
        files.save(&about)?;
        let kept = Kept::new(writer, Arc::clone(&safe), channels, files.path(SOUND));
        Ok((kept, Pending { begun_at, files, about, safe, _lock: None }))
    }

    /// What earlier runs left undelivered and nobody is delivering now. Each is closed: nothing more will be said in it.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn left(&self, server: &Address) -> Result<Left, ClientError> {
        let unusable = |source| ClientError::Outbox { path: self.folder.clone(), source };
        let mut left = Left::default();
        for entry in fs::read_dir(&self.folder).map_err(unusable)? {
            let path = entry.map_err(unusable)?.path();
            let id = path.file_stem().and_then(|stem| stem.to_str()).filter(|_| path.extension().is_some_and(|end| end == ABOUT));
            let Some(id) = id.map(str::to_owned) else { continue };
            let files = Files { folder: self.folder.clone(), id, key: self.key.clone() };
            match files.take_up(server) {
                Ok(Found::Ours(pending)) => left.pending.push(*pending),
                Ok(Found::Elsewhere) => left.elsewhere += 1,
                Ok(Found::Busy) => {}
                Err(error) => left.damaged.push(error),
            }
        }
        left.pending.sort_by_key(|pending| pending.begun_at);
        Ok(left)
    }
}

enum Found {
    Ours(Box<Pending>),
    Elsewhere,
    Busy,
}

impl Files {
    fn path(&self, ending: &str) -> PathBuf {
        self.folder.join(format!("{}.{ending}", self.id))
    }

    /// What the sealed description is bound to.
    fn context(&self) -> Vec<u8> {
        [b"cantoscribe outbox ".as_slice(), self.id.as_bytes()].concat()
    }

    /// Replaces the description at once and for good.
    fn save(&self, about: &About) -> Result<(), ClientError> {
        let (path, new) = (self.path(ABOUT), self.path("new"));
        let unusable = |source| ClientError::Outbox { path: path.clone(), source };
        let bytes = serde_json::to_vec(about).map_err(|error| unusable(error.into()))?;
        let sealed = self.key.seal(&self.context(), &bytes)?;
        write_private(&new, &sealed).map_err(unusable)?;
        fs::rename(&new, &path).and_then(|()| sync_folder(&self.folder)).map_err(unusable)
    }

    fn load(&self) -> Result<About, ClientError> {
        let path = self.path(ABOUT);
        let sealed = fs::read(&path).map_err(|source| ClientError::Outbox { path: path.clone(), source })?;
        let bytes = self.key.unseal(&self.context(), &sealed);
        bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or(ClientError::Damaged { path })
    }

    fn take_up(self, server: &Address) -> Result<Found, ClientError> {
        let path = self.path(SOUND);
        if !path.exists() {
            // Its sound was deleted when it was delivered; this is what a kill at that moment left.
            self.erase()?;
            return Ok(Found::Busy);
        }
        let about = self.load()?;
        if about.server != server.text() {
            return Ok(Found::Elsewhere);
        }
        let mut writer = match SpoolWriter::open(&path, &self.key, &self.id) {
            Err(SpoolError::InUse { .. }) => return Ok(Found::Busy),
            writer => writer?,
        };
        if !writer.finished() {
            writer.append(RecordKind::Finish, 0, &[])?;
            writer.sync()?;
        }
        let safe = Arc::new(Safe::default());
        safe.tell(&writer);
        let begun_at = about.begun_at;
        Ok(Found::Ours(Box::new(Pending { begun_at, files: self, about, safe, _lock: Some(writer) })))
    }

    /// Sound first: a description without sound is known to be delivered.
    fn erase(&self) -> Result<(), ClientError> {
        for ending in [SOUND, ABOUT] {
            let path = self.path(ending);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(ClientError::Outbox { path, source: error }),
                _ => {}
            }
        }
        sync_folder(&self.folder).map_err(|source| ClientError::Outbox { path: self.folder.clone(), source })
    }
}

impl Pending {
    /// What the stream is.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.about.terms
    }

    /// Samples a channel that are kept here.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.safe.samples()
    }

    /// Where its sound is kept.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.files.path(SOUND)
    }

    pub(super) fn there(&self) -> Option<&There> {
        self.about.there.as_ref()
    }

    /// Remembers what the server calls it, before any sound is sent.
    pub(super) fn begun(&mut self, recording: String, token: String) -> Result<(), ClientError> {
        self.about.there = Some(There { recording, token });
        self.files.save(&self.about)
    }

    pub(super) fn reader(&self, sample: u64) -> Result<SpoolReader, ClientError> {
        let mut reader = SpoolReader::open(&self.path(), &self.files.key, &self.files.id)?;
        reader.seek_to_sample(sample)?;
        Ok(reader)
    }

    /// Deletes it here: the server has all of it, or nobody wants it any more.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn erase(&self) -> Result<(), ClientError> {
        self.files.erase()
    }
}

fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// A file that only its owner can read, on the disk when this returns.
fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The outbox's key. A new one gets its name only when it is whole, and only if no other run was faster.
fn key(path: &Path) -> Result<Key, ClientError> {
    let unusable = |source| ClientError::Outbox { path: path.to_owned(), source };
    if !path.exists() {
        let new = path.with_extension(format!("{}.new", std::process::id()));
        write_private(&new, Key::generate()?.reveal()).map_err(unusable)?;
        let linked = fs::hard_link(&new, path);
        fs::remove_file(&new).map_err(unusable)?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(unusable(error)),
            _ => path.parent().map_or(Ok(()), sync_folder).map_err(unusable)?,
        }
    }
    let wrong = |reason| ClientError::Key { path: path.to_owned(), reason };
    #[cfg(unix)]
    {
        let metadata = fs::metadata(path).map_err(unusable)?;
        if std::os::unix::fs::MetadataExt::mode(&metadata) & 0o077 != 0 {
            return Err(wrong("can be read by others: make it yours alone (chmod 600)"));
        }
    }
    let bytes = zeroize::Zeroizing::new(fs::read(path).map_err(unusable)?);
    let bytes: &[u8; 32] = bytes.as_slice().try_into().map_err(|_| wrong("is not 32 bytes long"))?;
    Ok(Key::from_bytes(*bytes))
}
