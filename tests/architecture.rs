//! Data flows one way and the core knows no HTTP, no SQL, and in its pure part no clock, randomness or file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

/// A core folder (or file), and the crate's own modules that it may name.
const CORE: &[(&str, &[&str])] = &[
    ("text", &["text"]),
    ("audit", &["audit"]),
    ("consent", &["audit", "consent", "text"]),
    ("identity", &["audit", "consent", "identity", "text"]),
    ("terminology", &["terminology", "text"]),
    ("audio", &["audio", "text"]),
    ("speech", &["speech", "audio", "text"]),
    ("note", &["note", "speech", "terminology", "text"]),
    ("record", &["record", "note", "speech", "terminology", "text"]),
    ("letter", &["identity", "letter", "note", "record", "speech", "terminology", "text"]),
    ("visit", &["consent", "identity", "note", "record", "text", "visit"]),
    ("interop", &["audit", "consent", "interop", "note", "speech", "terminology", "text"]),
    ("sharing", &["audit", "consent", "note", "record", "sharing", "speech", "terminology", "text"]),
];

/// HTTP, SQL and asynchronous run-times: only the shell may know them.
const SHELL_CRATES: &[&str] = &[
    "actix_web",
    "axum",
    "cpal",
    "diesel",
    "h2",
    "hf_hub",
    "hyper",
    "hyper_util",
    "object_store",
    "postgres",
    "reqwest",
    "rusqlite",
    "sea_orm",
    "sqlx",
    "tokio",
    "tokio_tungstenite",
    "tonic",
    "tower",
    "tower_http",
    "tungstenite",
    "ureq",
    "warp",
];

/// What a pure folder takes as an argument instead.
const IMPURE: &[&str] = &["std::fs", "std::net", "std::process", "std::env", "std::time", "rand::", "getrandom"];
const PURE: &[&str] = &["audit", "consent", "identity", "terminology", "note", "record", "letter", "visit", "interop", "sharing"];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn rust_files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The source without comments and without what follows `#[cfg(test)]`, which by the project's habit ends a file.
fn code(text: &str) -> String {
    text.lines()
        .take_while(|line| !line.trim_start().starts_with("#[cfg(test)]"))
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// The word that starts at each occurrence of `prefix`, where nothing of an identifier stands before it.
fn names_after<'a>(code: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    code.match_indices(prefix).filter_map(move |(at, _)| {
        let before = code[..at].chars().next_back();
        let bounded = before.is_none_or(|c| !c.is_alphanumeric() && c != '_');
        let after = &code[at + prefix.len()..];
        let end = after.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(after.len());
        bounded.then_some(&after[..end])
    })
}

/// Every rule that a piece of code of this core folder breaks.
fn violations(folder: &str, allowed: &[&str], code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for name in SHELL_CRATES {
        let used = [format!("{name}::"), format!("use {name};"), format!("use {name} as")];
        if used.iter().any(|used| names_after(code, used).next().is_some()) {
            found.push(format!("names the shell's crate `{name}`"));
        }
    }
    for module in names_after(code, "crate::") {
        if !module.is_empty() && !allowed.contains(&module) {
            found.push(format!("imports `crate::{module}`"));
        }
    }
    if code.contains("crate::{") {
        found.push("imports by `crate::{...}`, which this test cannot read: name one module a line".into());
    }
    if PURE.contains(&folder) {
        for word in IMPURE {
            if code.contains(word) {
                found.push(format!("is pure, and names `{word}`"));
            }
        }
    }
    found
}

#[test]
fn core_folders_import_only_earlier_stages_and_no_shell_crate() {
    let mut found = Vec::new();
    let mut files = 0;
    for (folder, allowed) in CORE {
        for file in rust_files(&source().join(folder)) {
            files += 1;
            for violation in violations(folder, allowed, &code(&fs::read_to_string(&file).unwrap())) {
                found.push(format!("{}: {violation}", file.display()));
            }
        }
    }
    assert!(files >= CORE.len(), "only {files} files read");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The compiler denies `unsafe` where it is not allowed in so many words; here is where it may be.
#[test]
fn unsafe_code_is_in_the_kernels_alone() {
    let allows = |file: &PathBuf| fs::read_to_string(file).unwrap().contains("allow(unsafe_code");
    let files: Vec<PathBuf> = rust_files(&source()).into_iter().filter(allows).collect();
    let kernels = source().join("speech").join("kernels");
    assert!(!files.is_empty() && files.iter().all(|file| file.starts_with(&kernels)), "{files:?}");
}

#[test]
fn the_check_itself_sees_what_it_must_see() {
    assert_eq!(violations("audio", &["audio"], "use ureq::Agent;").len(), 1);
    assert_eq!(violations("audio", &["audio"], "let a = sqlx::query(x);").len(), 1);
    assert_eq!(violations("audio", &["audio"], "use crate::speech::Segment;").len(), 1);
    assert_eq!(violations("audio", &["audio"], "use crate::{note, speech};").len(), 1);
    assert_eq!(violations("note", &["note"], "let t = std::time::SystemTime::now();").len(), 1);
    assert_eq!(violations("audio", &["audio"], &code("// use ureq::Agent;")).len(), 0);
    assert_eq!(violations("audio", &["audio"], "use crate::audio::SampleIndex; let my_ureq = 1; let towering = 2;").len(), 0);
}

#[test]
fn every_core_folder_is_checked() {
    let shell = [
        "bench", "capture", "cli", "client", "engine", "fonts", "gateway", "ledger", "models", "openid", "room", "server",
        "spool", "store",
    ];
    for entry in fs::read_dir(source()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let known = CORE.iter().any(|(folder, _)| *folder == name) || shell.contains(&name.as_str());
        assert!(known || name == "lib.rs" || name == "main.rs", "`src/{name}` is neither core nor shell: say which in this test");
    }
}
