//! The files of a backup: a part with the records, whose list says what each file must be, and a part of one file with the keys.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::super::{MasterSource, StoreError, folder};
use crate::spool::Key;

/// The list of the records' part, and the keyed hash that vouches for it.
pub(super) const LIST: &str = "manifest.json";
pub(super) const SEAL: &str = "manifest.hmac";
/// The rows.
pub(super) const ROWS: &str = "rows.jsonl";
/// The one file of the keys' part.
pub(super) const KEYS: &str = "cantoscribe.keys";

const LIST_SCHEMA: &str = "cantoscribe/backup/1";
/// What a keys' part begins with; the log's name, the SHA-256 of the rest and the rest follow.
const KEYS_BEGIN: &str = "cantoscribe/keys/1";

/// What the records' part says of itself.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct List {
    schema: String,
    /// Milliseconds since 1970.
    pub(super) made_at: u64,
    /// The form of the rows.
    pub(super) form: i64,
    /// The name of the audit log.
    pub(super) origin: String,
    /// Each file's size and SHA-256, by its path with `/`.
    pub(super) files: BTreeMap<String, Sum>,
}

/// What a file is known by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sum {
    size: u64,
    sha256: String,
}

impl Sum {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self { size: bytes.len() as u64, sha256: hexadecimal(&Sha256::digest(bytes)) }
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }
}

impl List {
    pub(super) fn new(made_at: u64, form: i64, origin: String, files: BTreeMap<String, Sum>) -> Self {
        Self { schema: LIST_SCHEMA.to_owned(), made_at, form, origin, files }
    }

    /// Writes it, which ends a records' part.
    pub(super) fn write(&self, folder: &Path, root: &Key) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec_pretty(self).map_err(|_| StoreError::Json)?;
        write(&folder.join(SEAL), vouch(root, &bytes)?.as_bytes())?;
        write(&folder.join(LIST), &bytes)?;
        folder::sync(folder)
    }

    /// Reads it.
    pub(super) fn read(folder: &Path, root: &Key) -> Result<Self, StoreError> {
        let path = folder.join(LIST);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let what = format!("`{}` has no {LIST}: it is no records' part, or was not finished", folder.display());
                return Err(StoreError::BadBackup { what });
            }
            read => read.map_err(StoreError::io("read", &path))?,
        };
        let seal = fs::read_to_string(folder.join(SEAL)).map_err(StoreError::io("read", &folder.join(SEAL)))?;
        if seal.trim() != vouch(root, &bytes)? {
            let what = format!("`{}` was changed, or the keys' part is of another data folder", path.display());
            return Err(StoreError::BadBackup { what });
        }
        let bad = || StoreError::BadBackup { what: format!("`{}` cannot be read", path.display()) };
        let list: Self = serde_json::from_slice(&bytes).map_err(|_| bad())?;
        let safe = |path: &String| path.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
        if list.schema != LIST_SCHEMA || !list.files.keys().all(safe) { Err(bad()) } else { Ok(list) }
    }

    /// Holds every file against the list.
    pub(super) fn check(&self, folder: &Path) -> Result<(), StoreError> {
        for (name, sum) in &self.files {
            let path = folder.join(name);
            let bad = |how| StoreError::BadBackup { what: format!("`{}` {how}", path.display()) };
            let file = match File::open(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(bad("is missing")),
                file => file.map_err(StoreError::io("open", &path))?,
            };
            let found = copy(file, &path, &mut io::sink(), &path)?;
            if found.size != sum.size {
                return Err(bad("does not have the size that it had"));
            }
            if found != *sum {
                return Err(bad("was changed"));
            }
        }
        Ok(())
    }
}

fn vouch(root: &Key, bytes: &[u8]) -> Result<String, StoreError> {
    let mac = Hmac::<Sha256>::new_from_slice(root.reveal()).map_err(|_| StoreError::Json)?;
    let tag = mac.chain_update(b"cantoscribe backup manifest 1\n").chain_update(bytes).finalize().into_bytes();
    Ok(hexadecimal(&tag))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What passes through, counted and hashed.
pub(super) struct Hashing<W> {
    to: W,
    size: u64,
    hash: Sha256,
}

impl<W: Write> Hashing<W> {
    pub(super) fn new(to: W) -> Self {
        Self { to, size: 0, hash: Sha256::new() }
    }

    pub(super) fn finish(self) -> (W, Sum) {
        let sha256 = hexadecimal(&self.hash.finalize());
        (self.to, Sum { size: self.size, sha256 })
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn copy(mut file: File, from: &Path, to: &mut impl Write, to_path: &Path) -> Result<Sum, StoreError> {
    let mut hashing = Hashing::new(to);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer).map_err(StoreError::io("read", from))?;
        if read == 0 {
            return Ok(hashing.finish().1);
        }
        hashing.write_all(buffer.get(..read).unwrap_or_default()).map_err(StoreError::io("write", to_path))?;
    }
}

/// Copies a file to a new one of its owner's alone; nothing where there is none.
pub(super) fn copy_file(from: &Path, to: &Path) -> Result<Option<Sum>, StoreError> {
    let file = match File::open(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(StoreError::io("open", from))?,
    };
    let mut target = create(to)?;
    let sum = copy(file, from, &mut target, to)?;
    target.sync_all().map_err(StoreError::io("sync", to))?;
    Ok(Some(sum))
}

/// A new file of its owner's alone, with the folders on the way.
pub(super) fn create(path: &Path) -> Result<File, StoreError> {
    if let Some(parent) = path.parent() {
        folder::make(parent)?;
    }
    folder::private(File::options().create_new(true).write(true), path)
}

pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut file = create(path)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(StoreError::io("write", path))
}

/// What the keys' part holds.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Keys {
    /// Milliseconds since 1970.
    pub(super) made_at: u64,
    /// The root key, wrapped.
    pub(super) root: Bytes,
    /// Whose, id and wrapped key.
    pub(super) keys: Vec<(String, String, Bytes)>,
    /// What was destroyed, and when.
    pub(super) destroyed: Vec<(Bytes, i64)>,
    /// What was stopped, and in which organisations; nothing in one of a program that did not keep it.
    #[serde(default)]
    pub(super) stopped: Vec<(Bytes, String)>,
    /// What else is good no more, and since when.
    #[serde(default)]
    pub(super) ended: Vec<(String, i64)>,
    /// Secrets that lie in files, by their paths with `/`: what signs the audit log, and the private key of a certificate.
    pub(super) secrets: BTreeMap<String, Bytes>,
    /// The audit log's head: how far it had grown.
    pub(super) head: String,
}

/// Bytes, as base64 in JSON. They may be secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl TryFrom<String> for Bytes {
    type Error = base64::DecodeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        STANDARD.decode(text).map(Self)
    }
}

impl From<Bytes> for String {
    fn from(Bytes(bytes): Bytes) -> Self {
        STANDARD.encode(bytes)
    }
}

fn context(origin: &str) -> Vec<u8> {
    format!("{KEYS_BEGIN}\n{origin}").into_bytes()
}

impl Keys {
    /// Writes them, sealed with the master key, in the place of those that are there. That these are of the same data folder was seen.
    pub(super) fn write(&self, folder: &Path, origin: &str, master: &Key) -> Result<(), StoreError> {
        folder::make(folder)?;
        let path = folder.join(KEYS);
        let predecessor = match File::options().read(true).write(true).open(&path) {
            Ok(mut file) => {
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes).map_err(StoreError::io("read", &path))?;
                if split(&bytes).is_some_and(|(theirs, ..)| theirs != origin) {
                    return Err(StoreError::OthersKeys { path });
                }
                Some(file)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(StoreError::io("open", &path)(error)),
        };
        let json = Zeroizing::new(serde_json::to_vec(self).map_err(|_| StoreError::Json)?);
        let sealed = master.seal(&context(origin), &json)?;
        let mut bytes = format!("{KEYS_BEGIN}\n{origin}\n{}\n", hexadecimal(&Sha256::digest(&sealed))).into_bytes();
        bytes.extend(sealed);
        let unfinished = folder.join(format!(".{KEYS}.new"));
        let mut file = folder::private(File::options().create(true).truncate(true).write(true), &unfinished)?;
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(StoreError::io("write", &unfinished))?;
        fs::rename(&unfinished, &path).map_err(StoreError::io("create", &path))?;
        folder::sync(folder)?;
        // Only the newest is kept: where the disk lets it, nothing is left of the one before.
        if let Some(mut file) = predecessor {
            let size = file.metadata().map_err(StoreError::io("read", &path))?.len();
            let _ = io::Seek::rewind(&mut file).and_then(|()| io::copy(&mut io::repeat(0).take(size), &mut file));
            let _ = file.sync_all();
        }
        Ok(())
    }

    /// Reads them, with the name of the log that they belong to.
    pub(super) fn read(folder: &Path, master: &Key, source: &MasterSource) -> Result<(Self, String), StoreError> {
        let path = folder.join(KEYS);
        let bad = |how: &str| StoreError::BadBackup { what: format!("`{}` {how}", path.display()) };
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(bad("is missing")),
            bytes => bytes.map_err(StoreError::io("read", &path))?,
        };
        let (origin, hash, sealed) = split(&bytes).ok_or_else(|| bad("is no keys' part"))?;
        if hash != hexadecimal(&Sha256::digest(sealed)) {
            return Err(bad("is not whole, or was changed"));
        }
        let json = master.unseal(&context(origin), sealed).ok_or_else(|| source.wrong(&path))?;
        let keys = serde_json::from_slice(&json).map_err(|_| bad("cannot be read"))?;
        Ok((keys, origin.to_owned()))
    }
}

/// Name of the log, hash, and what is sealed.
fn split(bytes: &[u8]) -> Option<(&str, &str, &[u8])> {
    let mut parts = bytes.splitn(4, |byte| *byte == b'\n');
    let mut text = || std::str::from_utf8(parts.next()?).ok();
    if text()? != KEYS_BEGIN {
        return None;
    }
    let (origin, hash) = (text()?, text()?);
    Some((origin, hash, parts.next()?))
}

/// All files below a folder, by their paths with `/`; none where there is no folder.
pub(super) fn below(folder: &Path) -> Result<Vec<(String, PathBuf)>, StoreError> {
    let mut found = Vec::new();
    let mut folders = vec![(String::new(), folder.to_owned())];
    while let Some((prefix, folder)) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.map_err(StoreError::io("read", &folder))?,
        };
        for entry in entries {
            let entry = entry.map_err(StoreError::io("read", &folder))?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            // One that vanished meanwhile is none.
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push((format!("{name}/"), entry.path())),
                Ok(_) => found.push((name, entry.path())),
                Err(_) => {}
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keys_part_from_before_what_is_good_no_more_was_kept_is_read() {
        let before = r#"{"made_at":1,"root":"AA==","keys":[],"destroyed":[["AA==",1]],"secrets":{},"head":""}"#;
        let keys: Keys = serde_json::from_str(before).unwrap();
        assert_eq!((keys.destroyed.len(), keys.stopped.len(), keys.ended.len()), (1, 0, 0));
    }
}
