//! The key that signs a log's heads, in a file that only its owner can read, and beside it the public one.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use zeroize::Zeroizing;

use super::LedgerError;
use super::folder::sync;
use crate::audit::NoteSigner;

/// No key comes near this; a longer file is not read.
const MOST_BYTES: u64 = 4096;

/// The signer in `audit.key` of this folder, made where there is none; its public key is in `audit.pub`.
///
/// # Errors
/// When the key is not its owner's alone, is no key, or cannot be read or written.
pub fn signer(folder: &Path, origin: &str) -> Result<NoteSigner, LedgerError> {
    let path = folder.join("audit.key");
    let signer = match File::open(&path) {
        Ok(file) => read(file, &path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut seed = Zeroizing::new([0; 32]);
            getrandom::fill(&mut *seed).map_err(|_| LedgerError::Random)?;
            let signer = NoteSigner::from_seed(origin, &seed)?;
            write(folder, "audit.key", &signer.reveal(), 0o600)?;
            signer
        }
        Err(error) => return Err(LedgerError::io("open", &path)(error)),
    };
    if !folder.join("audit.pub").exists() {
        write(folder, "audit.pub", &signer.verifier().to_string(), 0o644)?;
    }
    Ok(signer)
}

fn read(file: File, path: &Path) -> Result<NoteSigner, LedgerError> {
    let metadata = file.metadata().map_err(LedgerError::io("read", path))?;
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0 {
        return Err(LedgerError::Exposed { path: path.to_owned() });
    }
    let mut text = Zeroizing::new(String::new());
    file.take(MOST_BYTES.min(metadata.len())).read_to_string(&mut text).map_err(LedgerError::io("read", path))?;
    Ok(NoteSigner::parse(&text)?)
}

/// The file has its name only once it is whole and on the disk.
fn write(folder: &Path, name: &str, text: &str, mode: u32) -> Result<(), LedgerError> {
    let (path, unfinished) = (folder.join(name), folder.join(format!(".{name}.new")));
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    let written = options.open(&unfinished).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()
    });
    written.map_err(LedgerError::io("write", &unfinished))?;
    fs::rename(&unfinished, &path).map_err(LedgerError::io("create", &path))?;
    sync(folder)
}
