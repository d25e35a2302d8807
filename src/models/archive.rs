//! A model in one file, for a machine without a network.
//!
//! A zip archive, stored without compression (weights do not compress): `NAME/manifest.json` first, then the files that it lists.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::digest::{Digest, copy};
use super::error::{Fault, ModelError};
use super::installed::{Installed, find_installed, verify};
use super::manifest::{FILE_NAME, Manifest};
use super::packed::pack_installed;
use super::registry::Registry;
use super::report::Report;
use super::store::Locked;

/// Longest manifest that is read from an archive, in bytes.
const MAX_MANIFEST: u64 = 1 << 20;

/// Writes an installed model to a new file, checking every byte on the way.
///
/// # Errors
/// [`ModelError::Damaged`] when the model is; [`ModelError::Io`] also when `to` exists. What was written is removed then.
pub fn export(folder: &Path, name: &str, to: &Path, report: &dyn Report) -> Result<(), ModelError> {
    if let Some(fault) = verify(folder, name)?.into_iter().next() {
        return Err(ModelError::Damaged { name: name.to_owned(), fault });
    }
    let model = folder.join(name);
    let mut manifest = Manifest::read(&model).map_err(|fault| ModelError::Damaged { name: name.to_owned(), fault })?;
    // They are made again where the archive is imported.
    manifest.packed.clear();
    let out = File::create_new(to).map_err(ModelError::io("create", to))?;
    let written = write(out, &model, &manifest, to, report);
    if written.is_err() {
        fs::remove_file(to).map_err(ModelError::io("remove", to))?;
    }
    written
}

fn write(out: File, model: &Path, manifest: &Manifest, to: &Path, report: &dyn Report) -> Result<(), ModelError> {
    let failed = |error: zip::result::ZipError| ModelError::io("write", to)(error.into());
    let options =
        SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true).unix_permissions(0o644);
    let mut zip = ZipWriter::new(Fused { out, failed: false });
    zip.start_file(format!("{}/{FILE_NAME}", manifest.name), options).map_err(failed)?;
    io::copy(&mut manifest.to_json()?.as_slice(), &mut zip).map_err(ModelError::io("write", to))?;
    for file in &manifest.files {
        let path = model.join(&file.name);
        zip.start_file(format!("{}/{}", manifest.name, file.name), options).map_err(failed)?;
        let from = File::open(&path).map_err(ModelError::io("open", &path))?;
        report.begin(&file.name, Some(file.size));
        let copied = copy(from, &mut zip, |done| report.at(done));
        report.end();
        let (found, _) = copied.map_err(ModelError::io("write", to))?;
        if found != file.sha256 {
            let (expected, found) = (file.sha256.to_string(), found.to_string());
            let fault = Fault::Content { file: file.name.clone(), expected, found };
            return Err(ModelError::Damaged { name: manifest.name.clone(), fault });
        }
    }
    zip.finish().map_err(failed)?.out.sync_all().map_err(ModelError::io("sync", to))
}

/// A file that, once writing to it has failed, swallows the rest. A dropped `ZipWriter` tries to finish its archive and prints that
/// it cannot; the caller has the error already, and removes the file.
struct Fused {
    out: File,
    failed: bool,
}

impl io::Write for Fused {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.failed {
            return Ok(bytes.len());
        }
        self.out.write(bytes).inspect_err(|error| self.failed = error.kind() != io::ErrorKind::Interrupted)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl io::Seek for Fused {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.out.seek(to)
    }
}

/// Installs the model in an archive. Every byte is checked against the archive's manifest, and the manifest against the registry
/// where that knows the model.
///
/// # Errors
/// [`ModelError::Archive`] for anything but what [`export`] writes; nothing is installed then.
pub fn import(folder: &Path, from: &Path, registry: &Registry, report: &dyn Report) -> Result<Installed, ModelError> {
    let file = File::open(from).map_err(ModelError::io("open", from))?;
    let broken =
        |error: zip::result::ZipError| ModelError::archive(from, format!("it is no model archive, or is cut short ({error})"));
    let mut zip = ZipArchive::new(file).map_err(broken)?;
    let manifest = read_manifest(&mut zip, from)?;
    check_members(&mut zip, &manifest, from)?;
    if !manifest.packed.is_empty() {
        return Err(ModelError::archive(from, "its manifest lists packed weights, which are made where they are used"));
    }
    if let Ok(entry) = registry.get(&manifest.name)
        && !manifest.agrees_with(entry)
    {
        return Err(ModelError::archive(from, format!("its files are not those of the registry's `{}`", entry.name)));
    }
    let locked = Locked::acquire(folder, &manifest.name, report)?;
    let staging = locked.staging()?;
    for file in &manifest.files {
        let path = staging.path().join(&file.name);
        let member = zip.by_name(&format!("{}/{}", manifest.name, file.name)).map_err(broken)?;
        report.begin(&file.name, Some(file.size));
        // One byte more than promised is enough to see that there is more.
        let copied = unpack(member.take(file.size.saturating_add(1)), &path, from, |done| report.at(done));
        report.end();
        let (found, size) = copied?;
        if (size, &found) != (file.size, &file.sha256) {
            return Err(ModelError::archive(from, format!("`{}` is not what its manifest states (sha256 {found})", file.name)));
        }
    }
    staging.install(&manifest)?;
    pack_installed(&locked, report)?;
    find_installed(folder, &manifest.name)
}

fn unpack(mut member: impl Read, path: &PathBuf, from: &Path, on_bytes: impl FnMut(u64)) -> Result<(Digest, u64), ModelError> {
    let out = File::create(path).map_err(ModelError::io("create", path))?;
    copy(&mut member, out, on_bytes).map_err(|error| match error.kind() {
        // The zip reader's words for a check sum that is wrong or data that ends.
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput | io::ErrorKind::Other => {
            ModelError::archive(from, format!("it is damaged ({error})"))
        }
        _ => ModelError::io("unpack", path)(error),
    })
}

fn read_manifest(zip: &mut ZipArchive<File>, from: &Path) -> Result<Manifest, ModelError> {
    let refuse = |why: String| ModelError::archive(from, why);
    let first = zip.by_index(0).map_err(|error| refuse(format!("it is empty or damaged ({error})")))?;
    let name = first.name().map_err(|error| refuse(format!("a name in it is not text ({error})")))?.into_owned();
    let mut bytes = Vec::new();
    first.take(MAX_MANIFEST).read_to_end(&mut bytes).map_err(|error| refuse(format!("it is damaged ({error})")))?;
    let manifest = Manifest::parse(&bytes).map_err(|why| refuse(format!("it does not begin with a manifest: {why}")))?;
    let expected = format!("{}/{FILE_NAME}", manifest.name);
    if name == expected { Ok(manifest) } else { Err(refuse(format!("its manifest is not at `{expected}`"))) }
}

/// Exactly the manifest's files, plainly stored: no other member, no link, no folder, none twice.
fn check_members(zip: &mut ZipArchive<File>, manifest: &Manifest, from: &Path) -> Result<(), ModelError> {
    let refuse = |why: String| ModelError::archive(from, why);
    let names = manifest.files.iter().map(|file| file.name.as_str()).chain([FILE_NAME]);
    let mut missing: BTreeSet<String> = names.map(|name| format!("{}/{name}", manifest.name)).collect();
    for index in 0..zip.len() {
        let member = zip.by_index(index).map_err(|error| refuse(format!("it is damaged ({error})")))?;
        let name = member.name().map_err(|error| refuse(format!("a name in it is not text ({error})")))?.into_owned();
        if !missing.remove(&name) {
            return Err(refuse(format!("it holds `{}`, which does not belong there", name.escape_debug())));
        }
        if !member.is_file() || member.is_symlink() {
            return Err(refuse(format!("`{name}` in it is not a plain file")));
        }
    }
    match missing.first() {
        Some(name) => Err(refuse(format!("it lacks `{name}`"))),
        None => Ok(()),
    }
}
