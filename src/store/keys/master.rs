//! Where the master key comes from: a file of the data folder, a file that systemd hands over, or a command that fetches it.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::super::StoreError;
use super::super::folder::Folder;
use crate::spool::Key;

/// No key comes near this; more is not read.
const MOST_BYTES: u64 = 4096;

/// Where the master key comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum MasterSource {
    /// `master.key` in the data folder, made at the first start.
    #[default]
    Folder,
    /// A file elsewhere, as systemd's credentials are: 32 bytes, or their hexadecimal digits or base64.
    File(PathBuf),
    /// A command for `sh -c` whose standard output is the key, in one of the same forms.
    Command(String),
}

impl MasterSource {
    /// The key. The folder's own is made where there is none, if that may be.
    pub(super) async fn fetch(&self, folder: &Folder, make: bool) -> Result<Key, StoreError> {
        if *self == Self::Folder { folder.master_key(make) } else { self.fetch_elsewhere().await }
    }

    /// The key, from where no data folder is needed.
    pub(in crate::store) async fn fetch_elsewhere(&self) -> Result<Key, StoreError> {
        match self {
            Self::Folder => Err(StoreError::NoMasterKey),
            Self::File(path) => read(path),
            Self::Command(command) => {
                let command = command.clone();
                let run = tokio::task::spawn_blocking(move || run(&command)).await;
                run.unwrap_or(Err(StoreError::Interrupted))
            }
        }
    }

    /// That the key is not the right one; `own` is where the folder's own is.
    pub(in crate::store) fn wrong(&self, own: &Path) -> StoreError {
        StoreError::WrongKey {
            key: match self {
                Self::Folder => format!("`{}`", own.display()),
                Self::File(path) => format!("`{}`", path.display()),
                Self::Command(command) => format!("what `{command}` printed"),
            },
        }
    }
}

fn read(path: &Path) -> Result<Key, StoreError> {
    let mut bytes = Zeroizing::new(Vec::new());
    let file = File::open(path).map_err(StoreError::io("open", path))?;
    file.take(MOST_BYTES).read_to_end(&mut bytes).map_err(StoreError::io("read", path))?;
    decode(&bytes).ok_or_else(|| StoreError::NoKey { from: format!("`{}`", path.display()) })
}

/// What the command printed is in no error, and what it wrote to its standard error goes nowhere: either may hold the key.
fn run(command: &str) -> Result<Key, StoreError> {
    let failed = |how: String| StoreError::KeyCommand { command: command.to_owned(), how };
    let could_not = |error: io::Error| failed(format!("could not be run: {error}"));
    let mut child = Command::new("sh");
    let child = child.arg("-c").arg(command).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = child.spawn().map_err(could_not)?;
    let mut bytes = Zeroizing::new(Vec::new());
    if let Some(output) = child.stdout.take() {
        output.take(MOST_BYTES).read_to_end(&mut bytes).map_err(could_not)?;
    }
    let status = child.wait().map_err(could_not)?;
    if !status.success() {
        return Err(failed(format!("ended with {status}")));
    }
    decode(&bytes).ok_or_else(|| StoreError::NoKey { from: format!("what `{command}` printed") })
}

/// 32 bytes, or a text of 64 hexadecimal digits or of base64.
fn decode(bytes: &[u8]) -> Option<Key> {
    if let Ok(key) = bytes.try_into() {
        return Some(Key::from_bytes(key));
    }
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let decoded = match text.len() {
        64 => {
            let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            let pairs = text.as_bytes().chunks_exact(2).map(|pair| Some(digit(pair.first()?)? * 16 + digit(pair.last()?)?));
            pairs.collect::<Option<Vec<u8>>>()?
        }
        44 => STANDARD.decode(text).ok()?,
        _ => STANDARD_NO_PAD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text)).ok()?,
    };
    let decoded = Zeroizing::new(decoded);
    Some(Key::from_bytes(decoded.as_slice().try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_in_each_of_its_forms_and_in_no_other() {
        let bytes: [u8; 32] = std::array::from_fn(|index| 8 * index as u8 + 7);
        let hexadecimal: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let forms = [STANDARD.encode(bytes), STANDARD_NO_PAD.encode(bytes), URL_SAFE_NO_PAD.encode(bytes), hexadecimal];
        assert_eq!(decode(&bytes).unwrap().reveal(), &bytes);
        for form in forms {
            assert_eq!(decode(format!("{form}\n").as_bytes()).unwrap().reveal(), &bytes, "{form}");
            assert!(decode(&form.as_bytes()[1..]).is_none() && decode(format!("{form}A").as_bytes()).is_none(), "{form}");
        }
        for wrong in [&b""[..], &[1; 31], &[1; 33], b"\xff\xff"] {
            assert!(decode(wrong).is_none());
        }
    }

    #[test]
    fn a_command_that_fails_is_named_with_how_it_ended_and_without_what_it_said() {
        assert_eq!(run("printf '%032d' 7").unwrap().reveal()[31], b'7');
        let error =
            run("echo tell-tale; echo tell-tale >&2; exit 3 # fetch").unwrap_err().to_string().replace("echo tell-tale", "");
        assert!(error.contains("# fetch") && error.contains("exit status: 3") && !error.contains("tell-tale"), "{error}");
        let error = run("printf short; true").unwrap_err();
        assert!(matches!(&error, StoreError::NoKey { .. }), "{error}");
        assert!(!format!("{error} {error:?}").replace("printf short", "").contains("short"));
        assert!(matches!(run("yes | head -c 100000"), Err(StoreError::KeyCommand { .. } | StoreError::NoKey { .. })));
    }
}
