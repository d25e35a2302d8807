//! Packed weights: the same results, made anew when stale, refused when damaged.

use std::fs;
use std::path::{Path, PathBuf};

use cantoscribe::models::{self, Digest, Fault, ModelError, PullOptions, Pulled, Registry, Silent, find_installed};
use cantoscribe::speech::guard::{self, Guard};
use cantoscribe::speech::model::{self, DecodeOptions, Hypothesis, LoadOptions, Precision, Recognizer};
use libtest_mimic::Trial;

use super::whisper::{CLIP, clip};
use super::{Need, guarded, model_dir};

const MODEL: Need = Need::Model("whisper-base");
const NAME: &str = "whisper-base";
const BALANCED: &str = "packed-balanced.safetensors";

pub fn tests() -> Vec<Trial> {
    vec![
        guarded("packed_weights_change_nothing", &[MODEL, Need::Shared("audio")], nothing_changes),
        guarded("packed_weights_are_made_anew_when_stale", &[MODEL], stale_ones_are_made_anew),
        guarded("packed_weights_are_refused_when_damaged", &[MODEL], damaged_ones_are_refused),
    ]
}

/// A folder of models with the installed whisper-base, not packed. Its files are links, so that nothing large is copied.
fn unpacked() -> tempfile::TempDir {
    let folder = tempfile::tempdir_in(model_dir(NAME).parent().unwrap()).unwrap();
    let (from, to) = (model_dir(NAME), folder.path().join(NAME));
    fs::create_dir(&to).unwrap();
    let mut manifest: serde_json::Value = serde_json::from_slice(&fs::read(from.join("manifest.json")).unwrap()).unwrap();
    for file in manifest["files"].as_array().unwrap() {
        let name = file["name"].as_str().unwrap();
        fs::hard_link(from.join(name), to.join(name)).unwrap();
    }
    manifest.as_object_mut().unwrap().remove("packed");
    write_manifest(&to, &manifest);
    folder
}

fn manifest(model: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(model.join("manifest.json")).unwrap()).unwrap()
}

fn write_manifest(model: &Path, manifest: &serde_json::Value) {
    fs::write(model.join("manifest.json"), serde_json::to_vec(manifest).unwrap()).unwrap();
}

fn load(folder: &Path, precision: Precision) -> Result<Box<dyn Recognizer>, ModelError> {
    let options = LoadOptions { precision, ..LoadOptions::default() };
    models::load(&find_installed(folder, NAME)?, None, &options)
}

/// Writes over a file that is read-only, as its owner.
fn overwrite(path: &PathBuf, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

fn nothing_changes() {
    let samples = clip(CLIP);
    let hear = |model: &dyn Recognizer| -> Hypothesis {
        guard::recognise(model, &samples, &DecodeOptions::default(), &Guard::default()).unwrap()
    };
    let folder = unpacked();
    for precision in [Precision::Balanced, Precision::Fast] {
        let options = LoadOptions { precision, ..LoadOptions::default() };
        let read = hear(model::load(&folder.path().join(NAME), &options).unwrap().as_ref());
        assert!(!read.text.is_blank());
        // The first load makes the file, the second finds it.
        for _ in 0..2 {
            assert_eq!(read, hear(load(folder.path(), precision).unwrap().as_ref()));
        }
        let installed = find_installed(folder.path(), NAME).unwrap();
        let file = installed.folder.join(format!("packed-{}.safetensors", precision.name()));
        assert!(installed.packed.contains(&file));
        assert!(fs::metadata(file).unwrap().permissions().readonly());
    }
    load(folder.path(), Precision::Exact).unwrap();
    assert_eq!(find_installed(folder.path(), NAME).unwrap().packed.len(), 2);
}

fn stale_ones_are_made_anew() {
    let folder = unpacked();
    load(folder.path(), Precision::Balanced).unwrap();
    let model = folder.path().join(NAME);
    let file = model.join(BALANCED);
    let fresh = fs::read(&file).unwrap();
    let weights = find_installed(folder.path(), NAME).unwrap().weights_sha256;
    let written = |from: &str, to: &str| {
        let header = String::from_utf8(fresh[..64 * 1024].iter().copied().filter(u8::is_ascii).collect()).unwrap();
        assert!(header.contains(from));
        let place = fresh.windows(from.len()).position(|part| part == from.as_bytes()).unwrap();
        let mut other = fresh.clone();
        other[place..place + to.len()].copy_from_slice(to.as_bytes());
        other
    };
    let other_weights = weights.as_str().chars().rev().collect::<String>();
    // Of another version of this program, for another precision, and of other weights.
    for (from, to) in [("packed 1", "packed 0"), ("balanced", "finished"), (weights.as_str(), &other_weights)] {
        let stale = written(from, to);
        overwrite(&file, &stale);
        let mut changed = manifest(&model);
        changed["packed"][0]["sha256"] = Digest::of(&stale).as_str().into();
        write_manifest(&model, &changed);
        load(folder.path(), Precision::Balanced).unwrap();
        assert!(fs::read(&file).unwrap() == fresh, "{from} became {to} and was not made anew");
        assert_eq!(models::verify(folder.path(), NAME).unwrap(), []);
    }
}

fn damaged_ones_are_refused() {
    let folder = unpacked();
    load(folder.path(), Precision::Balanced).unwrap();
    let file = folder.path().join(NAME).join(BALANCED);
    let whole = fs::read(&file).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    let registry = Registry::embedded().unwrap();
    for damaged in [flipped.as_slice(), &whole[..whole.len() - 1], &[]] {
        overwrite(&file, damaged);
        let Err(ModelError::Damaged { fault, .. }) = load(folder.path(), Precision::Balanced) else { panic!("not refused") };
        assert_eq!(fault.file(), BALANCED);
        // The other precisions are of the same model: nothing of a damaged one is used.
        assert!(load(folder.path(), Precision::Exact).is_err());
        // A pull packs again, without fetching anything.
        let options = PullOptions { offline: true, ..PullOptions::default() };
        let pulled = models::pull(folder.path(), registry.get(NAME).unwrap(), &options, &Silent).unwrap();
        assert!(matches!(pulled, Pulled::AlreadyThere(_)));
        assert!(fs::read(&file).unwrap() == whole);
        load(folder.path(), Precision::Balanced).unwrap();
    }
    fs::remove_file(&file).unwrap();
    let Err(ModelError::Damaged { fault: Fault::Missing { .. }, .. }) = load(folder.path(), Precision::Balanced) else {
        panic!("a file that is gone was not missed")
    };
}
