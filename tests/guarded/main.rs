//! Tests that need a model, the recordings beside the project, or instructions that not every processor has.
//!
//! A test whose need is not met is listed as ignored, with what it lacks in its name, and counted at the end: it is never green
//! because its input is missing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests")]

mod agreement;
mod allocations;
mod audio;
mod bench;
mod bias;
mod invention;
mod kernels;
mod letters;
mod models;
mod packed;
mod rooms;
mod script;
mod sense_voice;
mod session;
mod signals;
mod uncovered;
mod vad;
mod whisper;

use std::path::PathBuf;
use std::process::Command;

use libtest_mimic::{Arguments, Failed, Trial};

/// What a test cannot run without.
#[derive(Debug, Clone, Copy)]
pub enum Need {
    /// A file or folder of `../shared`, which a user of the project does not have.
    Shared(&'static str),
    /// An installed model of the registry.
    Model(&'static str),
    /// An instruction set of the processor.
    Instructions(&'static str),
    /// A font with Chinese characters.
    ChineseFont,
    /// A program that is installed.
    Program(&'static str),
}

impl Need {
    fn missing(self) -> Option<String> {
        match self {
            Self::Shared(path) => (!shared(path).exists()).then(|| format!("../shared/{path}")),
            Self::Model(name) => (!model_dir(name).is_dir()).then(|| format!("model {name}")),
            Self::ChineseFont => {
                cantoscribe::fonts::for_letters(&[]).is_err().then(|| "a font with Chinese characters".to_owned())
            }
            Self::Program(name) => Command::new(name).arg("-v").output().is_err().then(|| format!("the program {name}")),
            Self::Instructions(name) => kernels::level(name).is_none().then(|| format!("a processor with {name}")),
        }
    }
}

/// The path of a file of `../shared`.
pub fn shared(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path)
}

/// The folder of an installed model: below `CANTOSCRIBE_MODELS`, or else where `models pull` puts it.
pub fn model_dir(name: &str) -> PathBuf {
    cantoscribe::models::default_folder().map(|folder| folder.join(name)).unwrap_or_default()
}

/// A test that runs when all its needs are met and is shown as ignored, with what it lacks, when not.
pub fn guarded(name: &str, needs: &[Need], run: fn()) -> Trial {
    let missing: Vec<String> = needs.iter().filter_map(|need| need.missing()).collect();
    let trial = Trial::test(name, move || {
        run();
        Ok::<(), Failed>(())
    });
    if missing.is_empty() { trial } else { trial.with_kind(format!("needs {}", missing.join(", "))).with_ignored_flag(true) }
}

fn main() {
    let arguments = Arguments::from_args();
    let areas = [
        agreement::tests(),
        allocations::tests(),
        audio::tests(),
        bench::tests(),
        bias::tests(),
        invention::tests(),
        kernels::tests(),
        letters::tests(),
        models::tests(),
        packed::tests(),
        rooms::tests(),
        script::tests(),
        sense_voice::tests(),
        session::tests(),
        uncovered::tests(),
        vad::tests(),
        whisper::tests(),
    ];
    let tests: Vec<Trial> = areas.into_iter().flatten().collect();
    let left_out: Vec<String> =
        tests.iter().filter(|test| test.has_ignored_flag()).map(|test| format!("{} ({})", test.name(), test.kind())).collect();
    let conclusion = libtest_mimic::run(&arguments, tests);
    if !left_out.is_empty() && !arguments.list {
        eprintln!(
            "LEFT OUT, {} tests of what needs a model, ../shared, a program, a font or other instructions:",
            left_out.len()
        );
        for test in &left_out {
            eprintln!("  {test}");
        }
    }
    conclusion.exit();
}
