//! The Hugging Face hub as a source.
//!
//! `hf-hub` says where a file is and what the hub states about it. The transfer itself is ours: hf-hub 0.5 waits for ever for a
//! server that is silent, takes up a broken transfer without looking whether the server did, and names files as the server says.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use hf_hub::api::sync::{Api, ApiBuilder, ApiRepo, Metadata};
use hf_hub::{Repo, RepoType};
use ureq::http::{StatusCode, header};

use super::digest::{Digest, copy};
use super::error::ModelError;
use super::registry::{FileSpec, HubSpec};
use super::source::{Job, Source, kept};

/// How often a transfer that brought something before it broke is taken up again at once.
const RESUMPTIONS: usize = 5;

/// The files of one repository.
pub(crate) struct Hub<'a>(pub(crate) &'a HubSpec);

impl Source for Hub<'_> {
    fn label(&self) -> String {
        format!("hub {}", self.0.repository)
    }

    fn fetch(&self, job: &Job<'_>) -> Result<String, ModelError> {
        if !job.options.offline
            && !job.options.trust_first_download
            && let Some(file) = self.0.file.iter().find(|file| file.sha256.is_none())
        {
            return Err(ModelError::Unpinned { file: file.name.clone() });
        }
        let mut revision = self.0.revision.clone();
        let mut parts = Vec::new();
        for file in &self.0.file {
            let part = job.download.join(format!("{}.whole", file.name));
            let kept = match &file.sha256 {
                Some(pin) => kept(part.clone(), pin)?,
                None => None,
            };
            if kept.is_none() {
                let remote = Remote::ask(self.0, &revision, file, job)?;
                remote.fetch(file, &part, job)?;
                // From a branch, all files are of the commit that the first one was of.
                revision.clone_from(&remote.commit);
            }
            parts.push((part, job.staging.join(&file.name)));
        }
        for (part, target) in parts {
            fs::rename(&part, &target).map_err(ModelError::io("install", &target))?;
        }
        Ok(format!("hub {}@{revision}", self.0.repository))
    }
}

/// A file as the hub describes it.
struct Remote {
    url: String,
    commit: String,
    size: u64,
    /// The hash that the hub states, which it does for large files only.
    declared: Option<Digest>,
}

impl Remote {
    fn ask(spec: &HubSpec, revision: &str, file: &FileSpec, job: &Job<'_>) -> Result<Self, ModelError> {
        if job.options.offline {
            return Err(ModelError::Offline);
        }
        let refused = |error: &dyn std::fmt::Display| ModelError::Refused { why: one_line(&error.to_string()) };
        // No token: nothing here needs one, and a mirror has no business seeing it.
        let mut builder = ApiBuilder::from_env().with_progress(false).with_token(None);
        if let Some(endpoint) = &job.options.hub_endpoint {
            builder = builder.with_endpoint(endpoint.clone());
        }
        let api = builder.build().map_err(|error| refused(&error))?;
        let repo: ApiRepo = api.repo(Repo::with_revision(spec.repository.clone(), RepoType::Model, revision.to_owned()));
        let url = repo.url(&file.name);
        let metadata = within(job.options.answer_within, api, url.clone())?;
        let commit = metadata.commit_hash().to_owned();
        if commit.len() != 40 || !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(ModelError::Refused { why: "its answer names no commit".to_owned() });
        }
        let declared = Digest::try_from(metadata.etag().to_owned()).ok();
        let remote = Self { url, commit, size: metadata.size() as u64, declared };
        remote.agree(file)?;
        Ok(remote)
    }

    /// Refuses, before gigabytes are fetched, what cannot be the file that the registry means.
    fn agree(&self, file: &FileSpec) -> Result<(), ModelError> {
        if let (Some(expected), Some(found)) = (&file.sha256, &self.declared)
            && expected != found
        {
            return Err(altered(file, expected, found));
        }
        match file.size {
            Some(size) if size != self.size => {
                Err(ModelError::Refused { why: format!("`{}` has {} bytes there instead of {size}", file.name, self.size) })
            }
            _ => Ok(()),
        }
    }

    /// Brings the file to `whole`, going on with what an earlier try left.
    fn fetch(&self, file: &FileSpec, whole: &Path, job: &Job<'_>) -> Result<(), ModelError> {
        let expected = file.sha256.as_ref().or(self.declared.as_ref());
        // Parts of another content must not be joined: the name says which content it is.
        let key = expected.map_or(self.commit.as_str(), Digest::as_str);
        let part = whole.with_file_name(format!("{}.{key}.part", file.name));
        let resumed = part.exists();
        self.transfer(file, &part, job)?;
        let Some(expected) = expected else { return rename(&part, whole) };
        let mut found = Digest::of_file(&part)?;
        if found != *expected && resumed {
            job.report.line(&format!("`{}` does not fit together; fetching it from the start", file.name));
            fs::remove_file(&part).map_err(ModelError::io("remove", &part))?;
            self.transfer(file, &part, job)?;
            found = Digest::of_file(&part)?;
        }
        if found != *expected {
            fs::remove_file(&part).map_err(ModelError::io("remove", &part))?;
            return Err(altered(file, expected, &found));
        }
        rename(&part, whole)
    }

    fn transfer(&self, file: &FileSpec, part: &Path, job: &Job<'_>) -> Result<(), ModelError> {
        job.report.begin(&file.name, Some(self.size));
        let result = self.transfer_whole(file, part, job);
        job.report.end();
        result
    }

    fn transfer_whole(&self, file: &FileSpec, part: &Path, job: &Job<'_>) -> Result<(), ModelError> {
        let mut resumptions = 0;
        loop {
            let before = length(part);
            if before == self.size {
                return Ok(());
            }
            let outcome = self.go_on(before, part, job);
            let got = length(part);
            match outcome {
                Err(error) if error.is_local() => return Err(error),
                Ok(()) if got == self.size => return Ok(()),
                _ if got > before && resumptions < RESUMPTIONS => resumptions += 1,
                Ok(()) => return Err(self.broken_off(file, got, "the server sent no more")),
                Err(error) => return Err(self.broken_off(file, got, &error.to_string())),
            }
        }
    }

    fn broken_off(&self, file: &FileSpec, got: u64, why: &str) -> ModelError {
        ModelError::BrokenOff { file: file.name.clone(), got, size: self.size, why: why.to_owned() }
    }

    /// Asks for the bytes from `start` on and appends what comes.
    fn go_on(&self, start: u64, part: &Path, job: &Job<'_>) -> Result<(), ModelError> {
        let refused = |error: ureq::Error| ModelError::Refused { why: one_line(&error.to_string()) };
        let start = if start < self.size { start } else { 0 };
        let mut request = agent(job.options.answer_within, job.options.stall_after).get(&self.url);
        if start > 0 {
            request = request.header(header::RANGE, format!("bytes={start}-"));
        }
        let response = request.call().map_err(refused)?;
        let follows = response.status() == StatusCode::PARTIAL_CONTENT
            && response
                .headers()
                .get(header::CONTENT_RANGE)
                .is_some_and(|range| range.to_str().is_ok_and(|range| range.starts_with(&format!("bytes {start}-"))));
        // A server without byte ranges sends the whole file: then the start is thrown away, not doubled.
        let start = if follows { start } else { 0 };
        let mut out = File::options().create(true).append(true).open(part).map_err(ModelError::io("open", part))?;
        out.set_len(start).map_err(ModelError::io("shorten", part))?;
        let body = response.into_body().into_with_config().limit(self.size.saturating_sub(start).saturating_add(1)).reader();
        pour(body, &mut out, part, |done| job.report.at(start.saturating_add(done)))
    }
}

/// Copies the body to the file; tells a fault of this disk from one of the network.
fn pour(body: impl io::Read, out: &mut File, part: &Path, on_bytes: impl FnMut(u64)) -> Result<(), ModelError> {
    let mut failed = None;
    let writer = Tell { out, failed: &mut failed };
    match (copy(body, writer, on_bytes), failed) {
        (_, Some(error)) => Err(ModelError::io("write", part)(error)),
        (Err(error), None) => Err(ModelError::Refused { why: one_line(&error.to_string()) }),
        (Ok(_), None) => Ok(()),
    }
}

struct Tell<'a> {
    out: &'a mut File,
    failed: &'a mut Option<io::Error>,
}

impl io::Write for Tell<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes).map_err(|error| {
            let kind = error.kind();
            *self.failed = Some(error);
            kind.into()
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn agent(answer_within: Duration, stall_after: Duration) -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_resolve(Some(answer_within))
        .timeout_connect(Some(answer_within))
        .timeout_recv_response(Some(answer_within))
        .timeout_per_read(Some(stall_after))
        .build()
        .into()
}

/// Asks the hub about a file. hf-hub has no time-out, and panics on some answers: it is asked from a thread of its own, which is
/// left behind if nothing comes back.
fn within(answer_within: Duration, api: Api, url: String) -> Result<Metadata, ModelError> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || send.send(api.metadata(&url)));
    match receive.recv_timeout(answer_within) {
        Ok(Ok(metadata)) => Ok(metadata),
        Ok(Err(error)) => Err(ModelError::Refused { why: one_line(&error.to_string()) }),
        Err(mpsc::RecvTimeoutError::Timeout) => Err(ModelError::Unanswered { within: answer_within }),
        Err(mpsc::RecvTimeoutError::Disconnected) => Err(ModelError::Refused { why: "its answer makes no sense".to_owned() }),
    }
}

fn altered(file: &FileSpec, expected: &Digest, found: &Digest) -> ModelError {
    ModelError::Altered { file: file.name.clone(), expected: expected.to_string(), found: found.to_string() }
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

fn rename(from: &Path, to: &Path) -> Result<(), ModelError> {
    fs::rename(from, to).map_err(ModelError::io("rename", from))
}

/// An error of a library in one line of bounded length.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect()
}
